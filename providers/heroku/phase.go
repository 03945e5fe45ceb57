package heroku

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// phase is what an app is at, by its dynos.
type phase uint8

const (
	// unseen: nobody has looked so far.
	unseen phase = iota
	// asleep: it has no dynos.
	asleep
	// idling: Heroku has put its eco dynos to sleep, and a visitor wakes them.
	idling
	// starting: no dyno of web is up yet, and one is to be.
	starting
	// up: it serves.
	up
	// crashed: its web dynos ended by themselves. Heroku tries again later and later.
	crashed
	// strange: it has dynos of which Heroku says what is not documented.
	strange
)

// isAwake reports whether something of the app runs, or is to.
func (p phase) isAwake() bool { return p == starting || p == up || p == crashed || p == strange }

// oneOffs is how many one-off dynos there are: `heroku run`, jobs of Heroku Scheduler, release
// commands. Their numbers are four digits of chance, those of a process type begin with 1.
func oneOffs(dynos []dyno) (n int) {
	for _, d := range dynos {
		if isOneOff(d) && d.State != stateCrashed && d.State != stateDown {
			n++
		}
	}
	return n
}

func isOneOff(d dyno) bool {
	if d.Type == "run" || d.Type == "release" {
		return true
	}
	_, digits, _ := strings.Cut(d.Name, ".")
	number, err := strconv.Atoi(digits)
	return err == nil && d.Type == "scheduler" && number >= 1000
}

// phaseOf is that of an app with these dynos, of which those of web decide if there are any.
func phaseOf(dynos []dyno) phase {
	states := map[string]bool{}
	own := slices.DeleteFunc(slices.Clone(dynos), isOneOff)
	served := slices.ContainsFunc(own, func(d dyno) bool { return d.Type == web })
	for _, d := range own {
		if !served || d.Type == web {
			states[d.State] = true
		}
	}
	switch {
	case len(own) == 0:
		return asleep
	case states[stateUp]:
		return up
	case states[stateStarting], states[stateDown]:
		return starting
	case states[stateIdle]:
		return idling
	case states[stateCrashed] && len(states) == 1:
		return crashed
	default:
		return strange
	}
}

// strangeState is a state of theirs that is not documented. Empty: there is none.
func strangeState(dynos []dyno) string {
	for _, d := range dynos {
		switch d.State {
		case stateUp, stateStarting, stateIdle, stateCrashed, stateDown:
		default:
			return d.State
		}
	}
	return ""
}

// countedOf is the formation that dynos are of, without those types that have none.
func countedOf(dynos []dyno) formation {
	var f formation
	for _, d := range dynos {
		if isOneOff(d) {
			continue
		}
		if p := f.of(d.Type); p != nil {
			p.Quantity++
			continue
		}
		f = append(f, process{Type: d.Type, Quantity: 1, Size: d.Size})
	}
	return f.sorted()
}

// kindsOf are the phases of the process types of a formation, of those that have dynos.
func kindsOf(dynos []dyno, f formation) map[string]phase {
	kinds := map[string]phase{}
	for _, p := range f {
		var own []dyno
		for _, d := range dynos {
			if d.Type == p.Type {
				own = append(own, d)
			}
		}
		if len(own) > 0 {
			kinds[p.Type] = phaseOf(own)
		}
	}
	return kinds
}

// oldest is when the first of them was made that still is there. Zero: there is none.
func oldest(dynos []dyno) time.Time {
	var first time.Time
	for _, d := range dynos {
		if !isOneOff(d) && (first.IsZero() || d.Created.Before(first)) {
			first = d.Created
		}
	}
	return first
}
