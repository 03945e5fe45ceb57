package inventory

import (
	"slices"
	"strings"
)

// Problem is something that somebody has to mend, or should know. It is a value.
type Problem struct {
	Kind ProblemKind
	// Text is a line for people: what, where, what to do. It may change.
	Text string
}

// ProblemKind tells problems apart. Its text is stable: programs compare it, and it is among
// the words of the admin API.
type ProblemKind string

// Of an app, or of its labels and rules.
const (
	LabelsUnreadable   ProblemKind = "labels_unreadable"
	LabelUnreadable    ProblemKind = "label_unreadable"
	LabelUnknown       ProblemKind = "label_unknown"
	SettingUnreadable  ProblemKind = "setting_unreadable"
	RouterLeftOut      ProblemKind = "router_left_out"
	RuleUnreadable     ProblemKind = "rule_unreadable"
	RuleLeftOut        ProblemKind = "rule_left_out"
	HiddenFromTraefik  ProblemKind = "hidden_from_traefik"
	ServiceMissing     ProblemKind = "service_missing"
	MiddlewareMissing  ProblemKind = "middleware_missing"
	MiddlewareDisputed ProblemKind = "middleware_disputed"
	EntryPointsMissing ProblemKind = "entry_points_missing"
	OptionTooNew       ProblemKind = "option_too_new"
	PortUnknown        ProblemKind = "port_unknown"
	AddressUnknown     ProblemKind = "address_unknown"
	URLUnreadable      ProblemKind = "url_unreadable"
	NameTaken          ProblemKind = "name_taken"
	HostTaken          ProblemKind = "host_taken"
	HostUnusable       ProblemKind = "host_unusable"
	Rival              ProblemKind = "rival"
	Unstartable        ProblemKind = "unstartable"
	RemovedOnStop      ProblemKind = "removed_on_stop"
	LinkAmbiguous      ProblemKind = "link_ambiguous"
	LinkMissing        ProblemKind = "link_missing"
	LinkUnmanaged      ProblemKind = "link_unmanaged"
	NeverWoken         ProblemKind = "never_woken"
	NeedNeverSleeps    ProblemKind = "need_never_sleeps"
)

// Of a Traefik that fetches the routes, or of a provider.
const (
	NotPublished          ProblemKind = "not_published"
	TraefikDiffers        ProblemKind = "traefik_differs"
	TraefikUnknown        ProblemKind = "traefik_unknown"
	ConstraintsUnreadable ProblemKind = "constraints_unreadable"
	TraefikHasRouter      ProblemKind = "traefik_has_router"
	TraefikLacksRouter    ProblemKind = "traefik_lacks_router"
	ProviderUnreachable   ProblemKind = "provider_unreachable"
)

// ProblemKinds are all that there are, sorted.
func ProblemKinds() []ProblemKind {
	all := []ProblemKind{
		LabelsUnreadable, LabelUnreadable, LabelUnknown, SettingUnreadable, RouterLeftOut, RuleUnreadable, RuleLeftOut,
		HiddenFromTraefik, ServiceMissing, MiddlewareMissing, MiddlewareDisputed, EntryPointsMissing, OptionTooNew,
		PortUnknown, AddressUnknown, URLUnreadable, NameTaken, HostTaken, HostUnusable, Rival, Unstartable, RemovedOnStop, LinkAmbiguous, LinkMissing,
		LinkUnmanaged, NeverWoken, NeedNeverSleeps, NotPublished, TraefikDiffers, TraefikUnknown, ConstraintsUnreadable,
		TraefikHasRouter, TraefikLacksRouter, ProviderUnreachable,
	}
	slices.Sort(all)
	return all
}

// Problems are several, in the order in which they are told.
type Problems []Problem

// Texts are their lines; nil if there are none.
func (p Problems) Texts() []string {
	var all []string
	for _, one := range p {
		all = append(all, one.Text)
	}
	return all
}

// String is all their lines.
func (p Problems) String() string { return strings.Join(p.Texts(), "\n") }
