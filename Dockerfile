# Paastis alone: a static binary. `make image` builds it first. tools/release makes the
# same for a release.
FROM scratch
# So that `user: nonroot` and `user: nobody` are known.
COPY image/etc /etc
# A new volume there belongs to that user.
COPY --chown=65532:65532 image/state /var/lib/paastis
COPY dist/paastis /paastis
# Traefik leaves out the labels of a container without a port, the middleware's among them.
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s CMD ["/paastis", "healthcheck"]
ENTRYPOINT ["/paastis"]
