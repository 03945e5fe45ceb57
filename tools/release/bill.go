package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
	packageurl "github.com/package-url/packageurl-go"
)

// ownPath is the module that all is about.
const ownPath = "github.com/paastis/paastis"

// billOf is the bill of materials of a binary, as CycloneDX in JSON.
func billOf(p product, version string, date time.Time) ([]byte, error) {
	sum := sha256.Sum256(p.binary)
	own := component(module{path: ownPath, version: version, licences: []string{"Apache-2.0"}}, cdx.ComponentTypeApplication)
	own.Hashes = sha256Hash(sum[:])
	own.Properties = &[]cdx.Property{{Name: "platform", Value: p.target.platform().String()}}
	bill := cdx.NewBOM()
	// Follows from the binary, so that each has its own and a second run has the same.
	bill.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, sum[:]).URN()
	bill.Metadata = &cdx.Metadata{Timestamp: date.Format(time.RFC3339), Component: &own}
	var components []cdx.Component
	var refs []string
	for _, m := range p.modules {
		c := component(m, cdx.ComponentTypeLibrary)
		if m.sum != "" {
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.sum, "h1:"))
			if err != nil {
				return nil, fmt.Errorf("read the sum of module %s: %w", m.path, err)
			}
			c.Hashes = sha256Hash(raw)
		}
		components, refs = append(components, c), append(refs, c.BOMRef)
	}
	bill.Components = &components
	bill.Dependencies = &[]cdx.Dependency{{Ref: own.BOMRef, Dependencies: &refs}}
	var text bytes.Buffer
	err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bill)
	return text.Bytes(), err
}

// component is a module in the bill.
func component(m module, kind cdx.ComponentType) cdx.Component {
	var licences cdx.Licenses
	for _, l := range m.licences {
		licences = append(licences, cdx.LicenseChoice{License: &cdx.License{ID: l}})
	}
	url := purl(m)
	return cdx.Component{Type: kind, BOMRef: url, Name: m.path, Version: m.version, PackageURL: url, Licenses: &licences}
}

// purl is a module's package URL.
func purl(m module) string {
	folder, name := path.Split(m.path)
	return packageurl.NewPackageURL(packageurl.TypeGolang, strings.TrimSuffix(folder, "/"), name, m.version, nil, "").ToString()
}

func sha256Hash(sum []byte) *[]cdx.Hash {
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
}
