package rules

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// ownName is what stands in a host for the app's own name.
const ownName = "{name}"

const (
	// longestLabel is the most letters between two dots of a name of DNS, and longestHost the
	// most of it as a whole (RFC 1035, 2.3.4).
	longestLabel = 63
	longestHost  = 253
)

// hostLetters are those that a host may have; "$" is that of a reference which is not
// replaced yet.
const hostLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.$"

// groupName is a reference to a group by name or number.
var groupName = regexp.MustCompile(`\$\{[^}]*\}`)

// setHosts reads hosts, which may have ownName in them.
func setHosts(p *Properties, value *yaml.Node, expand expander) error {
	hosts, err := listText(value, expand)
	if err != nil {
		return err
	}
	for i, host := range hosts {
		rest := strings.ReplaceAll(groupName.ReplaceAllString(host, ""), ownName, "")
		switch {
		case strings.ContainsAny(rest, "{}"):
			return fmt.Errorf("%q has braces around something else than {name}, which stands for the app's own name", host)
		case strings.Trim(rest, hostLetters) != "":
			return fmt.Errorf("%q is no host; write one such as {name}.apps.example.com, without scheme, port and path", host)
		}
		hosts[i] = strings.TrimSuffix(host, ".")
	}
	p.Hosts = hosts
	return nil
}

// HostOf is a host of an app of that name, in small letters. The error says, for people, why DNS
// cannot have it.
func HostOf(host, name string) (string, error) {
	of := host
	if strings.Contains(host, ownName) {
		label := hostLabel(name)
		if label == "" {
			return "", errors.New("its name has neither letters nor digits that a host may have")
		}
		of = strings.ReplaceAll(host, ownName, label)
	}
	of = strings.ToLower(of)
	if len(of) > longestHost {
		return "", fmt.Errorf("%q has %d letters, and DNS takes %d", of, len(of), longestHost)
	}
	for label := range strings.SplitSeq(of, ".") {
		switch {
		case label == "":
			return "", fmt.Errorf("%q has nothing before a dot, or behind one", of)
		case len(label) > longestLabel:
			return "", fmt.Errorf("%q has %d letters between two dots, and DNS takes %d", label, len(label), longestLabel)
		case strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-"):
			return "", fmt.Errorf("%q begins or ends with \"-\", which DNS does not take", label)
		case strings.Contains(label, "$"):
			return "", fmt.Errorf("%q has a \"$\", which DNS does not take", label)
		}
	}
	return of, nil
}

// hostLabel is a name as it may stand between two dots of a host: in small letters, with "-" for
// what else is neither a letter nor a digit, as Traefik makes one of a container's name. Empty:
// nothing is left of it.
func hostLabel(name string) string {
	name = strings.ToLower(name)
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && name == strings.Trim(name, "-") {
		return name
	}
	return strings.Join(strings.FieldsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9')
	}), "-")
}

// listText is a list of texts, or one that may have commas between them. Those that are empty are
// left out; nil: there is none. A comma in the name of an app, which comes in by a reference, parts
// nothing: else who names an app would write in the list.
func listText(value *yaml.Node, expand expander) ([]string, error) {
	value = deref(value)
	items := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		items = value.Content
	}
	var texts []string
	for _, item := range items {
		written, err := scalarText(item, verbatim)
		if err != nil {
			return nil, err
		}
		for one := range strings.SplitSeq(written, ",") {
			one, err := expand(strings.TrimSpace(one))
			if err != nil {
				return nil, err
			}
			if one = strings.TrimSpace(one); one != "" {
				texts = append(texts, one)
			}
		}
	}
	return texts, nil
}

// list sets a property that is a list of texts.
func list(field func(*Properties) *[]string) func(*Properties, *yaml.Node, expander) error {
	return func(p *Properties, value *yaml.Node, expand expander) error {
		texts, err := listText(value, expand)
		if err == nil {
			*field(p) = texts
		}
		return err
	}
}
