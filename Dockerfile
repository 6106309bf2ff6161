# One image for the exporter, the page, the sync agent and the simulator: `wppconnect-ops` with the part's name behind it.
#
#   docker build --tag wppconnect-ops:0.1.0 .
#
# BuildKit and the classic builder of Engine 20.10 build it alike: no RUN --mount, no heredoc, no COPY --chmod.
# PYTHON_IMAGE takes a digest as well: --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:...

ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# For the sync agent alone: --target sync-agent. A digest may follow the tag here too.
ARG COMPOSE_IMAGE=docker/compose-bin:v2.40.3

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
# The environment that is shipped has no pip: the one beside it, which also builds our wheel, installs into it.
RUN python3 -m venv /build/tools && python3 -m venv --without-pip /opt/wppconnect-ops
COPY requirements.lock requirements-build.lock ./
RUN /build/tools/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: \
        --requirement requirements-build.lock \
    && /build/tools/bin/pip --python /opt/wppconnect-ops/bin/python install --no-cache-dir --no-compile \
        --require-hashes --only-binary=:all: --requirement requirements.lock \
    # Much of it is never loaded: what is for these packages' own developers, for notebooks, for remote storage
    # and for languages that the page does not speak.
    && packages=$(echo /opt/wppconnect-ops/lib/python3*/site-packages) \
    && find "$packages" -depth -type d -name tests -exec rm -rf {} + \
    && rm -rf "$packages"/pyarrow/include "$packages"/pyarrow/*flight* "$packages"/pyarrow/*s3* \
        "$packages"/pydeck/nbextension "$packages"/phonenumbers/geodata \
    && find "$packages"/babel/locale-data -name '*.dat' ! -name 'root.dat' ! -name 'en*' ! -name 'pt*' -delete
COPY pyproject.toml README.md LICENSE hatch_build.py ./
COPY cli cli
COPY core core
COPY dashboard dashboard
COPY exporter exporter
COPY monitoring monitoring
COPY simulator simulator
RUN /build/tools/bin/python -m hatchling build -t wheel -d /build/wheel \
    && /build/tools/bin/pip --python /opt/wppconnect-ops/bin/python install --no-cache-dir --no-compile \
        --no-index --no-deps /build/wheel/*.whl \
    # Compiled here, since nothing can be written later; unchecked, since nothing changes later.
    && /opt/wppconnect-ops/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/wppconnect-ops/lib

FROM ${PYTHON_IMAGE} AS runtime
# The number has no name on the host: no account there gains anything. 0700: tokens and password hashes lie there.
RUN groupadd --gid 10001 ops \
    && useradd --uid 10001 --gid ops --home-dir /data --no-create-home --shell /usr/sbin/nologin ops \
    && install --directory --owner=ops --group=ops --mode=0700 /data
COPY --from=build /opt/wppconnect-ops /opt/wppconnect-ops
ENV PATH=/opt/wppconnect-ops/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WPPCONNECT_DATA_DIR=/data
USER 10001:10001
EXPOSE 8501 21466
# Python itself is process 1 and passes the signal to nobody: each part ends within two seconds of it. It starts no
# processes that it could leave behind; `init: true` or `docker run --init` reaps what an `exec` leaves.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["wppconnect-ops", "healthy"]
ENTRYPOINT ["wppconnect-ops"]
CMD ["--help"]

FROM runtime AS labelled
# After everything that takes time to build, since they change with every commit. No address is known here: whoever publishes
# an image says where its source, page and documentation are.
ARG PYTHON_IMAGE
ARG BASE_DIGEST=
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=
ARG URL=
ARG DOCUMENTATION=
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.url="${URL}" \
      org.opencontainers.image.documentation="${DOCUMENTATION}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}" \
      org.opencontainers.image.base.digest="${BASE_DIGEST}"

FROM ${COMPOSE_IMAGE} AS compose

# The sync agent has containers recreated by Compose, and by nothing else.
FROM labelled AS sync-agent
COPY --from=compose /docker-compose /usr/local/bin/docker-compose
CMD ["sync", "agent"]
LABEL org.opencontainers.image.title="wppconnect-ops sync agent" \
      org.opencontainers.image.description="Writes keys into files and has their containers recreated by Compose"

FROM labelled
LABEL org.opencontainers.image.title="wppconnect-ops" \
      org.opencontainers.image.description="Operations page and Prometheus exporter for WPPConnect Server"
