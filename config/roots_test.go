package config

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"

	"github.com/paastis/paastis/providers"
)

// TestPlatformsAreTrustedWhereTheSystemTrustsNobody is of Paastis's image, which has no file of
// certificate authorities. What a process trusts is settled once, so the test is a process.
func TestPlatformsAreTrustedWhereTheSystemTrustsNobody(t *testing.T) {
	const inside = "PAASTIS_TEST_WITHOUT_ROOTS"
	if kind := os.Getenv(inside); kind != "" {
		Loaded{Providers: []providers.Spec{{Name: "one", Type: "docker"}, {Name: "other", Type: kind}}}.AllProviders()
		pool, err := x509.SystemCertPool()
		if trusts := err == nil && !pool.Equal(x509.NewCertPool()); trusts != (kind != "docker") {
			t.Errorf("with %s beside docker: trusts anybody: %v (%v)", kind, trusts, err)
		}
		return
	}
	for _, kind := range []string{"docker", "clevercloud"} {
		again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), inside+"="+kind, "SSL_CERT_FILE=/nowhere", "SSL_CERT_DIR=/nowhere")
		if out, err := again.CombinedOutput(); err != nil {
			t.Errorf("%s", out)
		}
	}
}
