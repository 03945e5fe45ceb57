// Package providertest holds a provider to what provider.Provider promises:
//
//	func TestMineConforms(t *testing.T) {
//		providertest.Run(t, func(t *testing.T) providertest.Platform { return newPlatform(t) })
//	}
//
// A Platform is where the provider's apps run, played or real, and does what a person does
// there behind Paastis's back. What only some platforms can do is an interface of its own,
// found by type assertion: its cases are run for those that have it, and named by the test of
// the others. registry/registrytest plays all of them.
package providertest

import (
	"time"

	"github.com/paastis/paastis/registry/provider"
)

// Platform is where apps run, for one case. Its methods fail the test that it was made for
// where the platform refuses; what they do is done when they return.
type Platform interface {
	// Connect makes a provider of the apps of the platform, as a Paastis that begins does.
	Connect() provider.Provider
	// Create makes an app of some kind that is asleep, and returns the provider's name of it.
	Create(kind Kind) string
	// Start, Stop and Delete do that to an app by hand.
	Start(name string)
	Stop(name string)
	Delete(name string)
	// Patience is the longest that a change takes until it is reported.
	Patience() time.Duration
}

// Kind is how an app behaves.
type Kind int

const (
	// Plain runs once it is started, and has no health check.
	Plain Kind = iota
	// Slow has a health check, which passes a while after its start.
	Slow
	// Refused cannot be started: the platform says so.
	Refused
	// ToNone has no instance while it sleeps. Only a NoneScaler is asked for it.
	ToNone
)

// Scaler is a platform on which an app may have several instances.
type Scaler interface {
	// Scale gives a sleeping app so many instances, which sleep.
	Scale(name string, instances int)
}

// NoneScaler is a platform that has no instance of an app that sleeps.
type NoneScaler interface{ ScalesToNone() }

// Forgetful is a platform that forgets how an app was while that sleeps. Its provider is a
// provider.Resumer.
type Forgetful interface {
	// Reshape gives an app that runs another shape than it has, such as a scale. It runs on.
	Reshape(name string)
	// Shape is that of an app that runs: all that Resume has to bring back, as a text.
	Shape(name string) string
}

// Renamer is a platform on which an app may get another name.
type Renamer interface {
	// Rename gives an app another name, and returns the provider's.
	Rename(name string) string
}

// Lossy is a platform that may lose what it has to tell.
type Lossy interface {
	// LoseEvents lets no watch hear anything any more. What is asked for is answered.
	LoseEvents()
}

// Outage is a platform that can be made not to answer.
type Outage interface {
	// GoDown makes it refuse or ignore whoever calls, and ends what is connected; ComeBack
	// ends that.
	GoDown()
	ComeBack()
	// For is how long an outage is that is tried: a minute, unless it would have to be waited
	// for.
	For() time.Duration
}

// Denier is a platform that asks who calls.
type Denier interface {
	// Deny makes it refuse the credentials of its providers until Allow is called. Secret is
	// what no error may have in it.
	Deny() (secret string)
	Allow()
}

// Skewed is a platform with a clock of its own.
type Skewed interface {
	// Skew puts its clock forward, or back.
	Skew(d time.Duration)
}
