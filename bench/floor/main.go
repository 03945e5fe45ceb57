// Command floor is the least that a ForwardAuth server can be: net/http, which answers
// 200 to everyone. What Paastis costs is measured against it.
//
//	:3000  HTTP
//	:3443  HTTPS with HTTP/2, by a certificate of its own making
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"time"
)

func main() {
	fmt.Fprintln(os.Stderr, "floor:", run())
	os.Exit(1)
}

// run serves until one of the two fails.
func run() error {
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	yes := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	secure := &http.Server{Addr: ":3443", Handler: yes, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	failed := make(chan error)
	go func() { failed <- secure.ListenAndServeTLS("", "") }()
	go func() { failed <- http.ListenAndServe(":3000", yes) }()
	return <-failed
}

// selfSigned is a certificate for whoever does not look at it.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
