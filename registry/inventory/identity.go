package inventory

import (
	"slices"
	"strings"
)

// identityLabel is what says which app it is, whatever it is called. Platforms have it of all theirs.
const identityLabel = "paastis.id"

// Identity is what stays the same of an app whose name changes: what its owner says in the
// label paastis.id, or what Coolify does, which names the containers of each deployment anew
// (the labels are in its documentation, "Raw Docker Compose Deployment"). Empty: its name.
func (a App) Identity() string {
	if id := a.label(identityLabel); id != "" {
		return identityLabel + "=" + id
	}
	if app := a.label("coolify.applicationid"); app != "" {
		service := a.label("com.docker.compose.service")
		if service == a.label("coolify.name") {
			service = "" // it is the container's name, which is of one deployment
		}
		return "coolify.applicationId=" + app + " " + a.label("coolify.pullrequestid") + " " + service
	}
	return ""
}

// label is one of the app's, whose name is given in lower case. Empty: it has none.
func (a App) label(name string) string {
	for label, value := range a.Labels {
		if strings.EqualFold(label, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// IsSame reports whether two reports are of one app: they have an identity in common, which is
// that of the first, or an instance.
func IsSame(a *App, identity string, b *App) bool {
	return identity != "" && identity == b.Identity() || slices.ContainsFunc(a.Instances, func(i Instance) bool {
		return i.ID != "" && slices.ContainsFunc(b.Instances, func(j Instance) bool { return i.ID == j.ID })
	})
}

// IsAnother reports whether a report is of another app than the one that had its name before, whose
// identity that was.
func (a App) IsAnother(identity string) bool {
	is := a.Identity()
	return is != "" && identity != "" && is != identity
}
