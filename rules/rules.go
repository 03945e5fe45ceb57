// Package rules turns app names into properties and links.
package rules
