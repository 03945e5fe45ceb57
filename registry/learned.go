package registry

import "github.com/paastis/paastis/registry/history"

// learned is what Paastis has found out of an app that neither labels nor rules say.
type learned struct {
	asked     string   // the router that Traefik is known to ask about; see Router.asked
	without   []string // the needs that it is known to do without; see learnWithout
	hearing   hearing  // whether it listens where its image alone says that it does
	toldBlind bool     // that nobody can tell when it answers was logged
}

// restore goes on with what another Paastis has learned.
func (l *learned) restore(m history.App) { l.asked, l.without = m.Asked, m.Without }

// ask notes which router Traefik asks about, and reports whether that is new.
func (l *learned) ask(what string) bool {
	was := l.asked
	l.asked = what
	return was != what
}

// doWithout notes a need that the app does without.
func (l *learned) doWithout(name string) {
	l.without = append(l.without[:len(l.without):len(l.without)], name)
}

// hear notes whether the app listens.
func (l *learned) hear(is hearing) { l.hearing = is }

// tellBlind reports whether it is to be logged that nobody can tell when the app answers: once.
func (l *learned) tellBlind() bool {
	told := l.toldBlind
	l.toldBlind = true
	return !told
}
