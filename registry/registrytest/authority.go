package registrytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// Authority signs the certificates of servers that are played.
type Authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

// NewAuthority makes one that nobody trusts. It panics if the machine has no random numbers.
func NewAuthority() *Authority {
	a := &Authority{key: newKey(), certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "played authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}}
	a.certificate = a.sign(a.certificate, a.certificate, a.key)
	return a
}

// RunTrusting runs the tests of a package with an authority that their process trusts, and
// returns the exit code. The system's own are read once: it is for TestMain.
func (a *Authority) RunTrusting(m *testing.M) int {
	file, err := os.CreateTemp("", "authority-*.pem")
	if err != nil {
		panic(err)
	}
	defer os.Remove(file.Name())
	err = pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
	if err == nil {
		err = file.Close()
	}
	if err == nil {
		err = os.Setenv("SSL_CERT_FILE", file.Name())
	}
	if err != nil {
		panic(err)
	}
	return m.Run()
}

// Pool has the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Serve starts a server with a certificate for a name; it ends with the test. It speaks HTTP/2 as
// well.
func (a *Authority) Serve(t *testing.T, name string, h http.Handler) *httptest.Server {
	t.Helper()
	key := newKey()
	leaf := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.certificate, key)
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug) // of who does not trust it
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// sign is a certificate of a key, signed by the authority for who issues it.
func (a *Authority) sign(c, issuer *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	raw, err := x509.CreateCertificate(rand.Reader, c, issuer, &key.PublicKey, a.key)
	if err != nil {
		panic(err)
	}
	signed, err := x509.ParseCertificate(raw)
	if err != nil {
		panic(err)
	}
	return signed
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}
