package scalingo

// selfOf is the name of the app that Paastis itself runs in, which the platform tells each container
// (doc.scalingo.com/platform/app/environment). Empty: it runs elsewhere. A variable called APP may
// mean anything there.
func selfOf(getenv func(string) string) string {
	for _, beside := range []string{"CONTAINER", "CONTAINER_SIZE", "CONTAINER_VERSION"} {
		if getenv(beside) == "" {
			return ""
		}
	}
	return getenv("APP")
}
