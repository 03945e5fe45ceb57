package command

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/paastis/paastis/config"
	"github.com/paastis/paastis/server/admin"
)

// certificateLife is for how long a certificate is good that Paastis signs itself: it
// makes another one at each start.
const certificateLife = 10 * 365 * 24 * time.Hour

// listenAll opens the addresses on which Paastis serves everybody, and those on which it
// serves admins: none without a token.
func listenAll(ctx context.Context, cfg config.Loaded) (all, forAdmins []net.Listener, err error) {
	if cfg.AdminToken != (admin.Sum{}) && cfg.Admin.Listen != "" {
		ln, err := listenOn(ctx, "admin.listen", cfg.Admin.Listen)
		if err != nil {
			return nil, nil, err
		}
		forAdmins = []net.Listener{ln}
	}
	all, err = listen(ctx, cfg.Config)
	if err != nil {
		for _, ln := range forAdmins {
			ln.Close()
		}
	}
	return all, forAdmins, err
}

// listen opens the addresses on which Paastis serves: without TLS, and with it if that
// is configured.
func listen(ctx context.Context, cfg config.Config) ([]net.Listener, error) {
	plain, err := listenOn(ctx, "listen", cfg.Listen)
	if err != nil || cfg.ListenTLS == "" {
		return []net.Listener{plain}, err
	}
	certificate, err := certificateOf(cfg.TLS, time.Now())
	if err != nil {
		plain.Close()
		return nil, err
	}
	secure, err := listenOn(ctx, "listen-tls", cfg.ListenTLS)
	if err != nil {
		plain.Close()
		return nil, err
	}
	return []net.Listener{plain, tls.NewListener(secure, &tls.Config{
		Certificates: []tls.Certificate{certificate},
		NextProtos:   []string{"h2", "http/1.1"},
	})}, nil
}

// listenOn opens an address, which a flag gives.
func listenOn(ctx context.Context, flag, address string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; choose another address with --%s", address, rootCause(err), flag)
	}
	return ln, nil
}

// certificateOf is the one that is configured, or one that Paastis signs itself.
func certificateOf(c config.TLS, now time.Time) (tls.Certificate, error) {
	if c.Cert == "" {
		return selfSigned(now)
	}
	certificate, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return certificate, fmt.Errorf("read certificate %s and key %s: %w; check tls.cert and tls.key", c.Cert, c.Key, rootCause(err))
	}
	return certificate, nil
}

// selfSigned is a certificate that nobody can check: it is for a network of one's own,
// where it makes HTTP/2 possible and no more.
func selfSigned(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "paastis"},
		DNSNames:     []string{"paastis", "localhost"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
