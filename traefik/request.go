// Package traefik speaks Traefik's language: labels, rules, requests.
package traefik
