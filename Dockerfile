# Paastis alone: a static binary. `make image` builds it first.
FROM scratch
COPY dist/paastis /paastis
# Traefik leaves out the labels of a container without a port, the middleware's among them.
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s CMD ["/paastis", "healthcheck"]
ENTRYPOINT ["/paastis"]
