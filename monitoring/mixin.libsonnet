// The same rules and dashboards for people who build theirs with Jsonnet:
//
//   local wppconnect = (import 'monitoring/mixin.libsonnet') + { _config+:: { externalUrl: 'https://ops.example.com' } };
//   { prometheusRules: wppconnect.prometheusRules, ... }
{
  local mixin = self,
  local here(text) = std.strReplace(text, 'https://ops.example.org', mixin._config.externalUrl),
  local groups(text) = std.parseYaml(here(text)).groups,

  _config+:: {
    // Where the operations page is published.
    externalUrl: 'https://ops.example.org',
    // Uptime that a session is to reach in 30 days, such as 0.995; null: no rules about it.
    uptimeObjective: null,
  },

  prometheusAlerts+:: {
    groups+: groups(importstr 'rules/alerts.yml'),
  },

  prometheusRules+:: {
    groups+: groups(importstr 'rules/uptime.yml') + (
      if mixin._config.uptimeObjective == null then [] else groups(
        std.strReplace(
          importstr 'rules/optional/error_budget.yml', 'vector(0.995)', 'vector(%g)' % mixin._config.uptimeObjective
        )
      )
    ),
  },

  grafanaDashboards+:: {
    'wppconnect-fleet.json': std.parseJson(here(importstr 'grafana/dashboards/fleet.json')),
    'wppconnect-session.json': std.parseJson(here(importstr 'grafana/dashboards/session.json')),
  },
}
