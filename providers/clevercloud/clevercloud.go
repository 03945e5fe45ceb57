// Package clevercloud is the provider of the apps of a Clever Cloud account.
package clevercloud
