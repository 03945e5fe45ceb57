package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"testing"
	"time"
)

// certified is a key with its certificate.
type certified struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

// certify makes a certificate that by has signed; nil: it is an authority.
func certify(t *testing.T, name string, by *certified, addresses ...string) certified {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	for _, a := range addresses {
		c.IPAddresses = append(c.IPAddresses, net.ParseIP(a))
	}
	if by == nil {
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
		by = &certified{key, c}
	}
	if c.Raw, err = x509.CreateCertificate(rand.Reader, c, by.certificate, &key.PublicKey, by.key); err != nil {
		t.Fatal(err)
	}
	return certified{key, c}
}

// save writes the certificate, and its key if there is a file for that.
func (c certified) save(t *testing.T, file, keyFile string) {
	t.Helper()
	keep := func(file, kind string, der []byte) {
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	keep(file, "CERTIFICATE", c.certificate.Raw)
	if keyFile == "" {
		return
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		t.Fatal(err)
	}
	keep(keyFile, "PRIVATE KEY", der)
}

// trust gives the engine a certificate that a site's Paastis trusts, and that one one that the
// engine does. Paastis finds its own where its configuration is.
func (e *second) trust(s *testServer) {
	e.t.Helper()
	authority := certify(e.t, "the machines", nil)
	for _, dir := range []string{e.dir, s.dir} {
		authority.save(e.t, dir+"/ca.pem", "")
	}
	certify(e.t, "the second engine", &authority, wireThere).save(e.t, e.path("engine.pem"), e.path("engine-key.pem"))
	certify(e.t, "Paastis", &authority).save(e.t, s.dir+"/paastis.pem", s.dir+"/paastis-key.pem")
}
