package docker

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// Settings are what paastis.yml may say of one engine among several providers. The zero value
// is the engine that the environment describes; see New.
type Settings struct {
	// Host is Config.Host. If empty, that of the environment, with its TLS.
	Host string `yaml:"host"`
	// TLSCA is a file with the authority of the engine's certificate; TLSCert and TLSKey are
	// files of Paastis's own. If all are empty, there is no TLS of its own.
	TLSCA   string `yaml:"tls_ca"`
	TLSCert string `yaml:"tls_cert"`
	TLSKey  string `yaml:"tls_key"`
	// Proc is Config.Proc. If empty, DefaultProc, but for a Host elsewhere none: the processes
	// there are others.
	Proc string `yaml:"proc"`
	// Address is Config.Address.
	Address string `yaml:"address"`
	// Traefik is what Traefik calls its own provider that reads this engine's labels. If empty,
	// "docker" without a Host; with one, Traefik has none, and routes are only published.
	Traefik string `yaml:"traefik"`
}

// Validate is nil if the settings make sense, as far as that can be told without their files.
// Else it names the key that does not.
func (s Settings) Validate() (key string, err error) {
	if err := checkAddress(s.Address); err != nil {
		return "address", err
	}
	_, err = parseEndpoint(s.Host, false)
	return "host", err
}

// noProc is a folder in which no process shows.
const noProc = "/proc/none"

// Open makes a provider of that ID. Like New it does not talk to the engine.
func Open(id string, s Settings, log *slog.Logger) (*Provider, error) {
	cfg, err := s.config()
	if err != nil {
		return nil, fmt.Errorf("docker: provider %q: %w", id, err)
	}
	cfg.ID, cfg.Self, cfg.Log = id, findSelf(), log
	cfg.Proc, cfg.Traefik, cfg.Address = s.Proc, s.Traefik, s.Address
	if s.Proc == "" && s.Host != "" && !strings.HasPrefix(s.Host, "unix://") {
		cfg.Proc = noProc
	}
	if s.Host == "" {
		cfg.Traefik = cmp.Or(s.Traefik, traefikProvider)
	}
	p, err := NewConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("provider %q: %w", id, err)
	}
	return p, nil
}

// config is what the settings say of the connection.
func (s Settings) config() (Config, error) {
	if s.Host == "" {
		return configFromEnv(os.Getenv)
	}
	cfg := Config{Host: s.Host}
	if s.TLSCA == "" && s.TLSCert == "" && s.TLSKey == "" {
		return cfg, nil
	}
	cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLSCert != "" || s.TLSKey != "" {
		pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
		if err != nil {
			return cfg, fmt.Errorf("read tls_cert and tls_key: %w", err)
		}
		cfg.TLS.Certificates = []tls.Certificate{pair}
	}
	if s.TLSCA != "" {
		if err := trust(cfg.TLS, s.TLSCA); err != nil {
			return cfg, fmt.Errorf("read tls_ca: %w", err)
		}
	}
	return cfg, nil
}
