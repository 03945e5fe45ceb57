package clevercloudtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The states of an app.
const (
	ShouldBeUp       = "SHOULD_BE_UP"
	ShouldBeDown     = "SHOULD_BE_DOWN"
	WantsToBeUp      = "WANTS_TO_BE_UP"
	Moderated        = "MODERATED"
	DefaultOfPayment = "DEFAULT_OF_PAYMENT"
)

const (
	// defaultBoot is how long a deployment from the build cache takes.
	defaultBoot = 25 * time.Second
	// stopTime is how long an instance takes to end.
	stopTime = 3 * time.Second
	// hidden is for how long a deployment is in no list after its order.
	hidden = time.Second
)

// App is an app to be made.
type App struct {
	// Name need not be its own. Owner is the id of whose it is; empty: the personal space.
	Name, Owner string
	// Commit is what is deployed, and the last that was pushed. Empty: it was never deployed.
	Commit string
	// Lifetime is REGULAR if it is empty; TASK is that of a job.
	Lifetime string
	// Instances is how many it runs as, of the size Flavor. Zero: 1, of the size XS.
	Instances int
	Flavor    string
	// Hosts are its domains beside that of its own. NoHost: it has not even that one.
	Hosts  []string
	NoHost bool
	// Boot is how long a deployment takes. Zero: 25 s.
	Boot time.Duration
	// Lag is how long an order of the API's is queued before it changes anything.
	Lag time.Duration
	// TellsPushed: its commitId is the last commit that was pushed, whatever runs. Which of the two
	// it is at Clever Cloud is not said anywhere.
	TellsPushed bool
	// Fails: no deployment of it goes well.
	Fails bool
	// Awake: it runs.
	Awake bool
	// Status is what it answers itself while it runs. Zero: 200.
	Status int
}

// app is one with its life. Its fields are guarded by the lock of the Cloud.
type app struct {
	App
	id          string
	state       string
	pushed      string // the last commit of its tree
	created     time.Time
	deployments []*deployment // the youngest first
	instances   []*instance
	orders      int // how many deployments the API was asked for
}

type deployment struct {
	uuid, state, action, commit, cause string
	at                                 time.Time
}

type instance struct {
	id, state, commit string
	of                *deployment
}

// Put makes an app, and returns its id.
func (c *Cloud) Put(made App) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	uuid := c.newUUID()
	a := &app{App: made, id: "app_" + uuid, state: ShouldBeDown, pushed: made.Commit, created: c.now()}
	a.Owner, a.Lifetime, a.Flavor = cmp.Or(made.Owner, User), cmp.Or(made.Lifetime, "REGULAR"), cmp.Or(made.Flavor, "XS")
	a.Instances, a.Boot = cmp.Or(made.Instances, 1), cmp.Or(made.Boot, defaultBoot)
	a.Hosts = slices.Clone(made.Hosts)
	if !made.NoHost {
		a.Hosts = append(a.Hosts, "app-"+uuid+appsDomain)
	}
	c.apps = append(c.apps, a)
	if made.Awake {
		c.finish(a, c.deploy(a, made.Commit, "Console"))
	}
	c.emit("APPLICATION_CREATION", a, nil)
	return a.id
}

// deploy begins a deployment. One that is under way ends. Called with c.mu held.
func (c *Cloud) deploy(a *app, commit, cause string) *deployment {
	d := c.queued(commit, cause)
	c.begin(a, d)
	return d
}

// queued is a deployment that has not begun. Called with c.mu held.
func (c *Cloud) queued(commit, cause string) *deployment {
	return &deployment{uuid: "deployment_" + c.newUUID(), state: "WIP", action: "DEPLOY", commit: commit, cause: cause}
}

// after calls something with c.mu held once an order of an app is no longer queued: at once, if it
// never is. Called with c.mu held.
func (c *Cloud) after(lag time.Duration, do func()) {
	if lag == 0 {
		do()
		return
	}
	time.AfterFunc(lag, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		do()
	})
}

// begin begins a deployment. Called with c.mu held.
func (c *Cloud) begin(a *app, d *deployment) {
	c.cancel(a)
	d.at = c.now()
	a.deployments = slices.Insert(a.deployments, 0, d)
	if a.state != ShouldBeUp {
		a.state = WantsToBeUp
	}
	for range a.Instances {
		a.instances = append(a.instances, &instance{id: c.newUUID(), state: "DEPLOYING", commit: d.commit, of: d})
	}
	c.emit("DEPLOYMENT_ACTION_BEGIN", a, d)
	c.after(a.Boot, func() { c.finish(a, d) })
}

// finish ends a deployment, if it is still under way. Called with c.mu held.
func (c *Cloud) finish(a *app, d *deployment) {
	if d.state != "WIP" {
		return
	}
	if a.Fails {
		d.state = "FAIL"
		a.drop(func(i *instance) bool { return i.of == d })
		c.emit("DEPLOYMENT_ACTION_END", a, d)
		return
	}
	d.state, a.state, a.Commit = "OK", ShouldBeUp, d.commit
	for _, i := range a.instances {
		if i.of == d {
			i.state = "UP"
		}
	}
	c.end(a, func(i *instance) bool { return i.of != d })
	c.emit("DEPLOYMENT_ACTION_END", a, d)
}

// undeploy stops an app. Called with c.mu held.
func (c *Cloud) undeploy(a *app) {
	c.cancel(a)
	a.state = ShouldBeDown
	d := &deployment{uuid: "deployment_" + c.newUUID(), state: "OK", action: "UNDEPLOY", commit: a.Commit, cause: "Console", at: c.now()}
	a.deployments = slices.Insert(a.deployments, 0, d)
	c.end(a, func(*instance) bool { return true })
	c.emit("APPLICATION_STOP", a, d)
}

// cancel ends the deployment that is under way. Called with c.mu held.
func (c *Cloud) cancel(a *app) {
	for _, d := range a.deployments {
		if d.state == "WIP" {
			d.state = "CANCELLED"
			a.drop(func(i *instance) bool { return i.of == d })
			c.emit("DEPLOYMENT_ACTION_END", a, d)
		}
	}
}

// end lets some instances end, which takes a moment. Called with c.mu held.
func (c *Cloud) end(a *app, which func(*instance) bool) {
	for _, i := range a.instances {
		if !which(i) || i.state == "STOPPING" {
			continue
		}
		i.state = "STOPPING"
		c.after(stopTime, func() { a.drop(func(o *instance) bool { return o == i }) })
	}
}

func (a *app) drop(which func(*instance) bool) {
	a.instances = slices.DeleteFunc(a.instances, which)
}

// up reports whether some instance of it serves.
func (a *app) up() bool {
	return slices.ContainsFunc(a.instances, func(i *instance) bool { return i.state == "UP" })
}

// visible are the deployments that are in a list now, the youngest first, at most so many.
// Called with c.mu held.
func (c *Cloud) visible(a *app, limit int) []map[string]any {
	all := []map[string]any{}
	for n, d := range a.deployments {
		if c.now().Sub(d.at) < hidden && d.action == "DEPLOY" || len(all) == limit {
			continue
		}
		all = append(all, map[string]any{
			"id": len(a.deployments) - n, "uuid": d.uuid, "date": d.at.UnixMilli(), "state": d.state, "action": d.action,
			"commit": d.commit, "cause": d.cause, "instances": a.Instances, "author": map[string]any{"id": User, "name": "Ada"},
		})
	}
	return all
}

// summary is what /v2/summary says of it.
func (a *app) summary() map[string]any {
	return map[string]any{
		"id": a.id, "name": a.Name, "state": a.state, "commit": orNull(a.Commit), "variantSlug": "node", "variantLogo": "",
		"archived": false, "homogeneous": false, "customerTags": []string{}, "createdFromRepo": true,
	}
}

// whole is what the list of an owner's apps says of it.
func (a *app) whole() map[string]any {
	var hosts []map[string]any
	for _, h := range a.Hosts {
		hosts = append(hosts, map[string]any{"fqdn": h})
	}
	uuid, commit := strings.TrimPrefix(a.id, "app_"), a.Commit
	if a.TellsPushed {
		commit = a.pushed
	}
	return map[string]any{
		"id": a.id, "name": a.Name, "zone": "par", "state": a.state, "commitId": orNull(commit), "last_deploy": len(a.deployments),
		"vhosts": hosts, "forceHttps": "ENABLED", "stickySessions": false, "homogeneous": false, "separateBuild": false, "archived": false,
		"ownerId": a.Owner, "creationDate": a.created.UnixMilli(), "branch": "master", "cancelOnPush": false,
		"instance": map[string]any{
			"type": "node", "minInstances": a.Instances, "maxInstances": a.Instances, "maxAllowedInstances": 40, "lifetime": a.Lifetime,
			"minFlavor": map[string]any{"name": a.Flavor}, "maxFlavor": map[string]any{"name": a.Flavor},
		},
		"deployment": map[string]any{
			"type": "GIT", "repoState": "CREATED", "shutdownable": false,
			"url":     fmt.Sprintf("git+ssh://git@push.clever-cloud.com/app_%s.git", uuid),
			"httpUrl": fmt.Sprintf("https://push.clever-cloud.com/app_%s.git", uuid),
		},
	}
}

// running is what the list of its instances says; none: it has none.
func (a *app) running() []map[string]any {
	all := []map[string]any{}
	for n, i := range a.instances {
		all = append(all, map[string]any{
			"id": i.id, "appId": a.id, "state": i.state, "commit": i.commit, "instanceNumber": n,
			"flavor": map[string]any{"name": a.Flavor}, "deployNumber": len(a.deployments), "displayName": "Tranquil Fox",
		})
	}
	return all
}

// orNull is a text as JSON has it that may be missing.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
