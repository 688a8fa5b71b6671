# syntax=docker/dockerfile:1
# One image for every role; the command decides: migrate, worker, relay, scheduler, gateway, ingress, chain run, sandbox.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
# The locks first: they change rarely, and so do these layers.
COPY requirements/run.txt requirements/build.txt requirements/
RUN python -m venv /opt/counterfoil \
    && /opt/counterfoil/bin/pip install --require-hashes -r requirements/run.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.txt
COPY . .
RUN /opt/build/bin/hatchling build --target wheel --directory /tmp/wheel \
    && /opt/counterfoil/bin/pip install --no-deps /tmp/wheel/*.whl

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="counterfoil" \
    org.opencontainers.image.description="Payments, refunds and disputes over Kafka, with a double-entry ledger and the proof of it." \
    org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --user-group --home-dir /var/lib/counterfoil --create-home --shell /usr/sbin/nologin counterfoil
COPY --from=build /opt/counterfoil /opt/counterfoil
ENV PATH=/opt/counterfoil/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# A number, so that a cluster can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/counterfoil
# Health and metrics of every role; webhooks of the ingress.
EXPOSE 9464 8482
# A role ends its batch before it goes.
STOPSIGNAL SIGTERM
ENTRYPOINT ["counterfoil"]
CMD ["--help"]
