package registry

// The kinds of reasons. Their texts are listed in docs/reasons.md and in openapi.yaml: a kind
// that is here stays.
const (
	// Why an app stays awake.

	ReasonNeededBy          ReasonKind = "needed_by"
	ReasonLinkedAppStarting ReasonKind = "linked_app_starting"
	ReasonOpenRequests      ReasonKind = "open_requests"
	ReasonKeepAwake         ReasonKind = "keep_awake"
	ReasonPinned            ReasonKind = "pinned"
	ReasonJobRuns           ReasonKind = "job_runs"
	ReasonRoutesUnknown     ReasonKind = "routes_unknown"
	ReasonNobodyFetches     ReasonKind = "routes_not_fetched"
	ReasonRoutesKept        ReasonKind = "routes_not_withdrawn"
	ReasonNeverSleeps       ReasonKind = "never_sleeps"
	ReasonUsedRecently      ReasonKind = "used_recently"
	ReasonStopFailed        ReasonKind = "stop_failed"
	ReasonStopRefused       ReasonKind = "stop_refused"
	ReasonCheckingUse       ReasonKind = "checking_use"
	ReasonConnections       ReasonKind = "open_connections"
	ReasonTraffic           ReasonKind = "traffic"
	ReasonCPU               ReasonKind = "cpu"
	ReasonBusy              ReasonKind = "busy"
	ReasonBusyCheckFails    ReasonKind = "busy_check_fails"
	ReasonNotSampled        ReasonKind = "not_sampled"
	ReasonUseUnseen         ReasonKind = "use_unseen"
	ReasonMaybeOpen         ReasonKind = "maybe_open"

	// Why it is stopped, or sleeps.

	ReasonUnused              ReasonKind = "unused"
	ReasonPutToSleep          ReasonKind = "put_to_sleep"
	ReasonKeepsCrashing       ReasonKind = "keeps_crashing"
	ReasonOverdue             ReasonKind = "overdue"
	ReasonLenderRestarted     ReasonKind = "lender_restarted"
	ReasonRestartedWith       ReasonKind = "restarted_with"
	ReasonStoppedAgain        ReasonKind = "stopped_again"
	ReasonCompleted           ReasonKind = "completed"
	ReasonEndedOutside        ReasonKind = "ended_outside"
	ReasonStoppedManually     ReasonKind = "stopped_manually"
	ReasonHeldDown            ReasonKind = "held_down"
	ReasonStoppedWithProvider ReasonKind = "stopped_with_provider"

	// Why it wakes.

	ReasonAsked              ReasonKind = "asked"
	ReasonAskedInTime        ReasonKind = "asked_in_time"
	ReasonAskedWhileStopping ReasonKind = "asked_while_stopping"
	ReasonAskedNeedDown      ReasonKind = "asked_need_down"
	ReasonNeedDown           ReasonKind = "need_down"
	ReasonNeedsDown          ReasonKind = "needs_down"
	ReasonTriedAgain         ReasonKind = "tried_again"
	ReasonWindowBegan        ReasonKind = "window_began"
	ReasonFoundRunning       ReasonKind = "found_running"
	ReasonStartedOutside     ReasonKind = "started_outside"
	ReasonRestarting         ReasonKind = "restarting"
	ReasonPartStopped        ReasonKind = "part_stopped"

	// What changed beside its state.

	ReasonUnpinned        ReasonKind = "unpinned"
	ReasonManagedNow      ReasonKind = "managed_now"
	ReasonNoLongerManaged ReasonKind = "no_longer_managed"
	ReasonLeftAlone       ReasonKind = "left_alone" // Paastis does not manage it

	// Why it cannot be put to sleep by hand, beside what keeps it awake.

	ReasonGone       ReasonKind = "gone"
	ReasonNotManaged ReasonKind = "not_managed"
	ReasonComingUp   ReasonKind = "coming_up"

	// What a visitor waits for, or why nothing is waited for.

	ReasonQueued       ReasonKind = "queued"
	ReasonStaysStopped ReasonKind = "stays_stopped"
	ReasonNeedStopped  ReasonKind = "need_stopped"
	ReasonMissing      ReasonKind = "missing"
	ReasonUnmanaged    ReasonKind = "unmanaged"
	ReasonTooManyWakes ReasonKind = "too_many_wakes"

	// Why it failed.

	ReasonExited        ReasonKind = "exited"
	ReasonCrashLoop     ReasonKind = "crash_loop"
	ReasonRestartLoop   ReasonKind = "restart_loop"
	ReasonOutOfMemory   ReasonKind = "out_of_memory"
	ReasonNoTurn        ReasonKind = "no_turn"
	ReasonNeedsLate     ReasonKind = "needs_late"
	ReasonNotStarted    ReasonKind = "not_started"
	ReasonUnhealthy     ReasonKind = "unhealthy"
	ReasonProbeAnswered ReasonKind = "probe_answered"
	ReasonNoAnswer      ReasonKind = "no_answer"
	ReasonNotListed     ReasonKind = "not_listed"
	ReasonNotEnded      ReasonKind = "not_ended"
	ReasonNeedFailed    ReasonKind = "need_failed"
	ReasonNeedHeldDown  ReasonKind = "need_held_down"
	ReasonRemoved       ReasonKind = "removed"
	ReasonEarlier       ReasonKind = "earlier" // told by a Paastis of before, that kept no kinds

	// Why its provider did not start or stop it.

	ReasonProviderRefused     ReasonKind = "provider_refused"
	ReasonEngineRefused       ReasonKind = "engine_refused"
	ReasonProviderUnreachable ReasonKind = "provider_unreachable"
	ReasonRateLimited         ReasonKind = "rate_limited"
	ReasonImageMissing        ReasonKind = "image_missing"
	ReasonPortTaken           ReasonKind = "port_taken"
	ReasonNetworkOwnerDown    ReasonKind = "network_owner_down"
	ReasonContainerGone       ReasonKind = "container_gone"
	ReasonDiskFull            ReasonKind = "disk_full"
	ReasonFolderMissing       ReasonKind = "folder_missing"
	ReasonBeingRemoved        ReasonKind = "being_removed"
	ReasonProgramMissing      ReasonKind = "program_missing"
	ReasonResourceGone        ReasonKind = "resource_gone"
)

// reasonTexts are what is known of a kind.
type reasonTexts struct {
	text string // in English; what is to be filled in stands in braces
	one  string // if there is one of what is counted; empty: the same
	// failure is what a failure of that kind is called in the API; empty: it is none, or
	// Refused if a provider says it.
	failure FailureKind
	use     bool // it is a use that was seen
	refusal bool // see ReasonKind.OfProvider
}

// reasons are all kinds. It is never changed.
var reasons = map[ReasonKind]reasonTexts{
	ReasonNeededBy:          {text: "needed by {named}"},
	ReasonLinkedAppStarting: {text: "{app} is on its way up"},
	ReasonOpenRequests:      {text: "{n} open requests", one: "1 open request"},
	ReasonKeepAwake:         {text: "kept awake by keep_awake ({text}) until {until}"},
	ReasonPinned:            {text: "pinned until {until}"},
	ReasonJobRuns:           {text: "{app} runs to its end"},
	ReasonRoutesUnknown:     {text: "found running, and Traefik may still fetch its routes"},
	ReasonNobodyFetches:     {text: "no Traefik fetches its routes, so they cannot be turned"},
	ReasonRoutesKept:        {text: "Traefik does not take its routes from Paastis"},
	ReasonNeverSleeps:       {text: "max_idle_time is never"},
	ReasonUsedRecently:      {text: "used {time} ago, sleeps after {limit}"},
	ReasonStopFailed:        {text: "the last stop failed, tried again soon"},
	ReasonStopRefused:       {text: "It could not be stopped: {refusal}."},
	ReasonCheckingUse:       {text: "looking whether it is in use"},
	ReasonConnections:       {text: "{n} open connections", one: "1 open connection", use: true},
	ReasonTraffic:           {text: "traffic {bytes}/s", use: true},
	ReasonCPU:               {text: "takes {percent}% of a core", use: true},
	ReasonBusy:              {text: "it says that it is busy ({text})", use: true},
	ReasonBusyCheckFails:    {text: "its busy check does not work: {text}", use: true},
	ReasonNotSampled:        {text: "it could not be looked at: {text}", use: true},
	ReasonUseUnseen:         {text: "its use cannot be seen: {text}, or let it sleep by paastis.unseen=sleep", use: true},
	ReasonMaybeOpen:         {text: "something silent may be open, by the packets it sends, and connections are not counted; give Paastis pid: host, or let it sleep by paastis.unseen=sleep", use: true},

	ReasonUnused:              {text: "unused for {time}"},
	ReasonPutToSleep:          {text: "put to sleep by hand"},
	ReasonKeepsCrashing:       {text: "it keeps crashing"},
	ReasonOverdue:             {text: "it did not end in time"},
	ReasonLenderRestarted:     {text: "it lives in namespaces of {app}, which was started again"},
	ReasonRestartedWith:       {text: "it is to be restarted with {app}"},
	ReasonStoppedAgain:        {text: "stopped again"},
	ReasonCompleted:           {text: "ran its course"},
	ReasonEndedOutside:        {text: "stopped by someone else, or by itself (exit code {code})"},
	ReasonStoppedManually:     {text: "stopped by hand"},
	ReasonHeldDown:            {text: "stopped by hand, and stays so until it is started or woken by hand"},
	ReasonStoppedWithProvider: {text: "stopped with its provider"},

	ReasonAsked:              {text: "asked for"},
	ReasonAskedInTime:        {text: "asked for in time"},
	ReasonAskedWhileStopping: {text: "asked for while it stopped"},
	ReasonAskedNeedDown:      {text: "asked for, and an app that it needs is down"},
	ReasonNeedDown:           {text: "an app that it needs is down"},
	ReasonNeedsDown:          {text: "{apps} is down"},
	ReasonTriedAgain:         {text: "tried again"},
	ReasonWindowBegan:        {text: "keep_awake ({text}) has begun"},
	ReasonFoundRunning:       {text: "found running"},
	ReasonStartedOutside:     {text: "started by someone else"},
	ReasonRestarting:         {text: "it restarts"},
	ReasonPartStopped:        {text: "a part of it was stopped: {refusal}"},

	ReasonUnpinned:        {text: "unpinned"},
	ReasonManagedNow:      {text: "managed from now on"},
	ReasonNoLongerManaged: {text: "Paastis does not manage it any more: {text}"},
	ReasonLeftAlone:       {text: "{text}"},

	ReasonGone:       {text: "it was removed"},
	ReasonNotManaged: {text: "Paastis does not manage it: {text}"},
	ReasonComingUp:   {text: "it is on its way up"},

	ReasonQueued:       {text: "It waits for its turn: {n} other apps on the way up.", one: "It waits for its turn: 1 other app on the way up."},
	ReasonStaysStopped: {text: "It was stopped by hand. It stays so until somebody starts it: paastis wake {app}"},
	ReasonNeedStopped:  {text: "It was stopped by hand."},
	ReasonMissing:      {text: "It does not exist."},
	ReasonUnmanaged:    {text: "Paastis does not manage it."},
	ReasonTooManyWakes: {text: "Too many apps were woken from your address. Please wait a moment."},

	ReasonExited:        {text: "It ended with exit code {code}.", failure: Ended},
	ReasonCrashLoop:     {text: "It kept crashing, {n} times within a minute (exit code {code}).", failure: CrashLoop},
	ReasonRestartLoop:   {text: "It kept restarting for {limit} (exit code {code}).", failure: CrashLoop},
	ReasonOutOfMemory:   {text: "It ran out of memory.", failure: OutOfMemory},
	ReasonNoTurn:        {text: "It waited {limit} for its turn.", failure: Late},
	ReasonNeedsLate:     {text: "It waited {limit} for {apps}.", failure: Late},
	ReasonNotStarted:    {text: "It did not start within {limit}.", failure: Late},
	ReasonUnhealthy:     {text: "It was not healthy within {limit}.", failure: Sick},
	ReasonProbeAnswered: {text: "It answered its probe with {code} for {limit}.", failure: Late},
	ReasonNoAnswer:      {text: "It did not answer on port {code} within {limit}.", failure: Late},
	ReasonNotListed:     {text: "It runs, but Traefik did not list its server within {limit}.", failure: Late},
	ReasonNotEnded:      {text: "It did not end within {limit}.", failure: Late},
	ReasonNeedFailed:    {text: "{app}, which it needs, failed: {why}", failure: NeedFailed},
	ReasonNeedHeldDown:  {text: "{app}, which it needs, was stopped by hand.", failure: NeedFailed},
	ReasonRemoved:       {text: "It was removed.", failure: Removed},
	ReasonEarlier:       {text: "{text}"},

	ReasonProviderRefused:     {text: "its provider refused; the log says why", refusal: true},
	ReasonEngineRefused:       {text: "the engine refused; the log says why", refusal: true},
	ReasonProviderUnreachable: {text: "its provider cannot be reached", failure: Unreachable, refusal: true},
	ReasonRateLimited:         {text: "its provider was asked too often", refusal: true},
	ReasonImageMissing:        {text: "its image is missing", failure: ImageMissing, refusal: true},
	ReasonPortTaken:           {text: "a port that it needs is taken", refusal: true},
	ReasonNetworkOwnerDown:    {text: "the container whose network it uses does not run", refusal: true},
	ReasonContainerGone:       {text: "a container that it needs is gone", refusal: true},
	ReasonDiskFull:            {text: "the disk is full", refusal: true},
	ReasonFolderMissing:       {text: "a folder that it needs is missing", refusal: true},
	ReasonBeingRemoved:        {text: "it is being removed", refusal: true},
	ReasonProgramMissing:      {text: "its program is missing", refusal: true},
	ReasonResourceGone:        {text: "a network or volume that it needs is gone", refusal: true},
}

// failureKind is what a failure for that reason is called in the API.
func (k ReasonKind) failureKind() FailureKind {
	if known := reasons[k]; known.failure != "" || !known.refusal {
		return known.failure
	}
	return Refused
}
