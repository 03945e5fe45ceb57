package clevercloudtest

// What happens to apps without Paastis: in the console, by git, by the platform. An app that is
// not there is a fault of the test, and panics.

// on calls do with an app and the lock held.
func (c *Cloud) on(id string, do func(*app)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do(c.find(id))
}

// Start starts an app in the console: what it has deployed, or the last that was pushed.
func (c *Cloud) Start(id string) {
	c.on(id, func(a *app) {
		d := c.deploy(a, a.pushed, "Console")
		c.finish(a, d)
	})
}

// Redeploy begins to start an app in the console, which takes its time.
func (c *Cloud) Redeploy(id string) { c.on(id, func(a *app) { c.deploy(a, a.pushed, "Console") }) }

// Stop stops an app in the console, at once.
func (c *Cloud) Stop(id string) {
	c.on(id, func(a *app) {
		c.undeploy(a)
		a.instances = nil
	})
}

// Push pushes a commit, which deploys it.
func (c *Cloud) Push(id, commit string) {
	c.on(id, func(a *app) {
		a.pushed = commit
		c.deploy(a, commit, "Git")
	})
}

// Commit adds a commit to the tree of an app that is not deployed, as a push does that is
// cancelled.
func (c *Cloud) Commit(id, commit string) { c.on(id, func(a *app) { a.pushed = commit }) }

// Cancel cancels the deployment that is under way.
func (c *Cloud) Cancel(id string) { c.on(id, c.cancel) }

// Delete deletes an app.
func (c *Cloud) Delete(id string) {
	c.on(id, func(a *app) {
		c.cancel(a)
		c.emit("APPLICATION_DELETION", a, nil)
		for i, o := range c.apps {
			if o == a {
				c.apps = append(c.apps[:i:i], c.apps[i+1:]...)
				return
			}
		}
	})
}

// Rename gives an app another name.
func (c *Cloud) Rename(id, name string) {
	c.on(id, func(a *app) {
		a.Name = name
		c.emit("APPLICATION_EDITION", a, nil)
	})
}

// Scale gives an app another number of instances, of another size. What runs is replaced at once.
func (c *Cloud) Scale(id string, instances int, flavor string) {
	c.on(id, func(a *app) {
		a.Instances, a.Flavor = instances, flavor
		if a.up() {
			c.finish(a, c.deploy(a, a.Commit, "Scaling"))
		}
		c.emit("APPLICATION_EDITION", a, nil)
	})
}

// SetState gives an app a state, which may be one that nobody knows. What runs of it runs on,
// unless it is one of those by which it is blocked.
func (c *Cloud) SetState(id, state string) {
	c.on(id, func(a *app) {
		a.state = state
		if state == Moderated || state == DefaultOfPayment {
			c.cancel(a)
			a.instances = nil
		}
	})
}

// Fail lets all deployments of an app fail from now on, or none.
func (c *Cloud) Fail(id string, fails bool) { c.on(id, func(a *app) { a.Fails = fails }) }

// Answer lets an app answer with a status while it runs.
func (c *Cloud) Answer(id string, status int) { c.on(id, func(a *app) { a.Status = status }) }

// State is the state of an app.
func (c *Cloud) State(id string) (state string) {
	c.on(id, func(a *app) { state = a.state })
	return state
}

// Runs is the commit that an app runs. Empty: it does not.
func (c *Cloud) Runs(id string) (commit string) {
	c.on(id, func(a *app) {
		if a.up() {
			commit = a.Commit
		}
	})
	return commit
}

// Orders is how often the API was asked to start an app.
func (c *Cloud) Orders(id string) (n int) {
	c.on(id, func(a *app) { n = a.orders })
	return n
}

// ID is the id of the first app of a name. Empty: there is none.
func (c *Cloud) ID(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.apps {
		if a.Name == name {
			return a.id
		}
	}
	return ""
}

// LoseEvents lets no socket hear anything any more.
func (c *Cloud) LoseEvents() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = true
}
