package docker

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The variables that New reads.
const (
	// EnvHost is where the engine listens. Default: DefaultHost.
	EnvHost = "DOCKER_HOST"
	// EnvTLSVerify turns TLS on, with a check of the engine's certificate, if not empty.
	EnvTLSVerify = "DOCKER_TLS_VERIFY"
	// EnvTLS turns TLS on, if not empty; alone it leaves the certificate unchecked.
	EnvTLS = "DOCKER_TLS"
	// EnvCertPath is the folder of ca.pem, cert.pem and key.pem. Default: EnvConfig.
	EnvCertPath = "DOCKER_CERT_PATH"
	// EnvConfig is the folder of the CLI's settings. Default: ~/.docker.
	EnvConfig = "DOCKER_CONFIG"
	// EnvAPIVersion fixes the version of the API. Default: negotiated.
	EnvAPIVersion = "DOCKER_API_VERSION"
)

// configFromEnv reads the Docker CLI's variables by getenv.
func configFromEnv(getenv func(string) string) (Config, error) {
	config, err := tlsFromEnv(getenv)
	if err != nil {
		return Config{}, err
	}
	return Config{Host: getenv(EnvHost), TLS: config, APIVersion: getenv(EnvAPIVersion)}, nil
}

// tlsFromEnv is nil if the environment does not ask for TLS: certificates alone do
// not turn it on, just as with the CLI.
func tlsFromEnv(getenv func(string) string) (*tls.Config, error) {
	verify := getenv(EnvTLSVerify) != ""
	if !verify && getenv(EnvTLS) == "" {
		return nil, nil
	}
	folder := cmp.Or(getenv(EnvCertPath), getenv(EnvConfig), filepath.Join(getenv("HOME"), ".docker"))
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: !verify}
	if err := identify(config, folder); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvCertPath, err)
	}
	if !verify {
		return config, nil
	}
	if err := trust(config, filepath.Join(folder, "ca.pem")); err != nil {
		return nil, fmt.Errorf("%s: %w", EnvTLSVerify, err)
	}
	return config, nil
}

// identify adds Paastis's own certificate, if there is one.
func identify(config *tls.Config, folder string) error {
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read certificate in %s: %w", folder, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return nil
}

// trust makes the authority in file the only one.
func trust(config *tls.Config, file string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", file)
	}
	return nil
}
