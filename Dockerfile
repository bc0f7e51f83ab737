# Two stages: the first builds the wheel and installs it from the lock, the second holds nothing but what runs.
ARG PYTHON=3.12-slim-bookworm
FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/zerotoship
COPY deploy/requirements.lock ./deploy/
RUN /opt/zerotoship/bin/pip install --require-hashes --requirement deploy/requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY workflows ./workflows
COPY zts_core ./zts_core
COPY zts_producer ./zts_producer
COPY zts_worker ./zts_worker
RUN /opt/zerotoship/bin/pip install --no-deps . \
 && /opt/zerotoship/bin/pip check \
 && /opt/zerotoship/bin/pip inspect > /opt/zerotoship/sbom.pip-inspect.json \
 && /opt/zerotoship/bin/pip uninstall --yes pip

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="ZeroToShip" \
      org.opencontainers.image.description="From an idea in a text file to something shipped" \
      org.opencontainers.image.licenses="Apache-2.0" \
      com.zerotoship.sbom="/opt/zerotoship/sbom.pip-inspect.json"
# Debian keeps one version of a package for each release: a pinned one would be gone with the next fix of it.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/zerotoship --create-home zerotoship \
 && install --directory --owner=zerotoship /work \
 && chmod 1777 /var/lib/zerotoship
COPY --from=build /opt/zerotoship /opt/zerotoship
ENV PATH=/opt/zerotoship/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/var/lib/zerotoship
USER 10001
WORKDIR /work
VOLUME /var/lib/zerotoship
EXPOSE 8000
# tini hands SIGTERM on and reaps what crews leave behind.
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["celery", "-A", "zts_worker", "worker", "--loglevel", "info"]
