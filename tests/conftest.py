"""What every test runs under."""

pytest_plugins = ["tests.plugins.system_tools", "tests.plugins.leaks", "tests.support.docker_engine"]
