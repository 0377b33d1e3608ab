# Luxtronik Logger in a container: the page is built in the first stage, the packages are installed in the second, and the
# last one has only what runs. Each stage works with the classic builder and with BuildKit.
ARG BASE=python:3.13-slim-trixie

# ---- the page, with Node.js from PyPI -------------------------------------------------------------------------------
FROM ${BASE} AS page
WORKDIR /build
COPY web/npm.sh web/requirements.txt web/package.json web/package-lock.json ./
RUN python -m venv /node && PY=/node/bin/python ./npm.sh ci --no-audit --no-fund --no-update-notifier --loglevel=error
COPY web ./
RUN PY=/node/bin/python ./npm.sh run build --silent -- --logLevel warn

# ---- the packages, with the hashes of requirements.txt, without pip and their tests ---------------------------------
FROM ${BASE} AS packages
COPY requirements.txt ./
RUN python -m venv --without-pip /opt/logger \
 && python -m pip --python /opt/logger/bin/python install --quiet --disable-pip-version-check --no-cache-dir --no-compile \
      --require-hashes --only-binary :all: -r requirements.txt \
 && find /opt/logger -type d -name tests -prune -exec rm -r {} + \
 && /opt/logger/bin/python -m compileall -q /opt/logger

# ---- what runs ------------------------------------------------------------------------------------------------------
FROM ${BASE}
# tini is process 1: it hands the stop signal on and collects processes that have ended.
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && install -d -o 1000 -g 1000 /data
COPY --from=packages /opt/logger /opt/logger
WORKDIR /app
COPY settings.toml ./
COPY pipeline pipeline
COPY stages stages
COPY --from=page /build/dist web/dist
RUN /opt/logger/bin/python -m compileall -q pipeline stages

# The root may be read-only, so nothing is written outside of /data and nothing is compiled at run time.
ENV PATH=/opt/logger/bin:$PATH \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    LUX_DATA_DIR=/data \
    LUX_HTTP_HOST=0.0.0.0
USER 1000:1000
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=2 CMD ["python", "-m", "pipeline.healthcheck"]
ENTRYPOINT ["tini", "--", "python", "-m", "pipeline"]
CMD ["run"]

ARG VERSION=unreleased
LABEL org.opencontainers.image.title="Luxtronik Logger" \
      org.opencontainers.image.description="Keeps every reading of a heat pump with a Luxtronik 2.x controller as plain CSV, with a page and an API" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.base.name="python:3.13-slim-trixie"
