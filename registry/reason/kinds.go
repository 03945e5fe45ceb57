package reason

// The kinds of reasons. Their texts are listed in docs/reasons.md and in openapi.yaml: a kind
// that is here stays.
const (
	// Why an app stays awake.

	NeededBy          Kind = "needed_by"
	LinkedAppStarting Kind = "linked_app_starting"
	OpenRequests      Kind = "open_requests"
	KeepAwake         Kind = "keep_awake"
	Pinned            Kind = "pinned"
	JobRuns           Kind = "job_runs"
	RoutesUnknown     Kind = "routes_unknown"
	NobodyFetches     Kind = "routes_not_fetched"
	RoutesKept        Kind = "routes_not_withdrawn"
	NeverSleeps       Kind = "never_sleeps"
	UsedRecently      Kind = "used_recently"
	StopFailed        Kind = "stop_failed"
	StopRefused       Kind = "stop_refused"
	CheckingUse       Kind = "checking_use"
	Connections       Kind = "open_connections"
	Traffic           Kind = "traffic"
	CPU               Kind = "cpu"
	OneOffs           Kind = "one_off_containers"
	RoutedRequests    Kind = "routed_requests"
	SleepsByItself    Kind = "sleeps_by_itself"
	Busy              Kind = "busy"
	BusyCheckFails    Kind = "busy_check_fails"
	NotSampled        Kind = "not_sampled"
	UseUnseen         Kind = "use_unseen"
	MaybeOpen         Kind = "maybe_open"
	StreamUnseen      Kind = "stream_unseen"

	// Why it is stopped, or sleeps.

	Unused              Kind = "unused"
	PutToSleep          Kind = "put_to_sleep"
	KeepsCrashing       Kind = "keeps_crashing"
	Overdue             Kind = "overdue"
	LenderRestarted     Kind = "lender_restarted"
	RestartedWith       Kind = "restarted_with"
	StoppedAgain        Kind = "stopped_again"
	Completed           Kind = "completed"
	EndedOutside        Kind = "ended_outside"
	StoppedManually     Kind = "stopped_manually"
	HeldDown            Kind = "held_down"
	StoppedWithProvider Kind = "stopped_with_provider"

	// Why it wakes.

	Asked              Kind = "asked"
	AskedInTime        Kind = "asked_in_time"
	AskedWhileStopping Kind = "asked_while_stopping"
	AskedNeedDown      Kind = "asked_need_down"
	NeedDown           Kind = "need_down"
	NeedsDown          Kind = "needs_down"
	TriedAgain         Kind = "tried_again"
	WindowBegan        Kind = "window_began"
	FoundRunning       Kind = "found_running"
	StartedOutside     Kind = "started_outside"
	Restarting         Kind = "restarting"
	PartStopped        Kind = "part_stopped"

	// What changed beside its state.

	Unpinned        Kind = "unpinned"
	ManagedNow      Kind = "managed_now"
	NoLongerManaged Kind = "no_longer_managed"

	// Why Paastis manages it.

	Enabled         Kind = "enabled"
	RouterAsks      Kind = "router_asks"
	RouterUses      Kind = "router_uses_middleware"
	AskedByName     Kind = "asked_by_name"
	RuleMatches     Kind = "rule_matches"
	LinkedFromStack Kind = "linked_from_stack"

	// Why it does not.

	Disabled          Kind = "disabled"
	Ephemeral         Kind = "ephemeral"
	Ignored           Kind = "ignored"
	NotEnabled        Kind = "not_enabled"
	MiddlewareUnknown Kind = "middleware_unknown"
	IsPaastis         Kind = "is_paastis"
	IsOtherPaastis    Kind = "is_other_paastis"
	RunsTraefik       Kind = "runs_traefik"
	ServesProvider    Kind = "serves_provider"
	SharesNetwork     Kind = "shares_network"
	PlatformJob       Kind = "platform_job"

	// Why it cannot be put to sleep by hand, beside what keeps it awake.

	Gone       Kind = "gone"
	NotManaged Kind = "not_managed"
	ComingUp   Kind = "coming_up"

	// What a visitor waits for, or why nothing is waited for.

	Queued       Kind = "queued"
	StaysStopped Kind = "stays_stopped"
	NeedStopped  Kind = "need_stopped"
	Missing      Kind = "missing"
	Unmanaged    Kind = "unmanaged"
	TooManyWakes Kind = "too_many_wakes"

	// Why it failed.

	Exited        Kind = "exited"
	CrashLoop     Kind = "crash_loop"
	RestartLoop   Kind = "restart_loop"
	OutOfMemory   Kind = "out_of_memory"
	NoTurn        Kind = "no_turn"
	NeedsLate     Kind = "needs_late"
	NotStarted    Kind = "not_started"
	Unhealthy     Kind = "unhealthy"
	ProbeAnswered Kind = "probe_answered"
	NoAnswer      Kind = "no_answer"
	Untrusted     Kind = "untrusted_certificate"
	NotListed     Kind = "not_listed"
	NotEnded      Kind = "not_ended"
	NeedFailed    Kind = "need_failed"
	NeedHeldDown  Kind = "need_held_down"
	Removed       Kind = "removed"
	Earlier       Kind = "earlier" // told by a Paastis of before, that kept no kinds

	// Why its provider did not start or stop it.

	ProviderRefused     Kind = "provider_refused"
	EngineRefused       Kind = "engine_refused"
	ProviderUnreachable Kind = "provider_unreachable"
	RateLimited         Kind = "rate_limited"
	ImageMissing        Kind = "image_missing"
	PortTaken           Kind = "port_taken"
	NetworkOwnerDown    Kind = "network_owner_down"
	ContainerGone       Kind = "container_gone"
	DiskFull            Kind = "disk_full"
	FolderMissing       Kind = "folder_missing"
	BeingRemoved        Kind = "being_removed"
	ProgramMissing      Kind = "program_missing"
	ResourceGone        Kind = "resource_gone"
	NotCaptured         Kind = "not_captured"
	NotKept             Kind = "not_kept"
	TokenRefused        Kind = "token_refused"
	TokenExpired        Kind = "token_expired"
	NotAllowed          Kind = "not_allowed"
	PaymentRequired     Kind = "payment_required"
	Blocked             Kind = "blocked"
	NotDeployed         Kind = "not_deployed"
	InMaintenance       Kind = "in_maintenance"
	OperationFailed     Kind = "operation_failed"
	PlatformBusy        Kind = "platform_busy"
	QuotaUsedUp         Kind = "quota_used_up"
	BreakerOpen         Kind = "breaker_open"
	UnknownState        Kind = "unknown_state"
)

// texts are what is known of a kind.
type texts struct {
	text    string // in English; what is to be filled in stands in braces
	one     string // if there is one of what is counted; empty: the same
	use     bool   // it is a use that was seen
	refusal bool   // see Kind.OfProvider
}

// textsOf are all kinds. It is never changed.
var textsOf = map[Kind]texts{
	NeededBy:          {text: "needed by {named}"},
	LinkedAppStarting: {text: "{app} is on its way up"},
	OpenRequests:      {text: "{n} open requests", one: "1 open request"},
	KeepAwake:         {text: "kept awake by keep_awake ({text}) until {until}"},
	Pinned:            {text: "pinned until {until}"},
	JobRuns:           {text: "{app} runs to its end"},
	RoutesUnknown:     {text: "found running, and Traefik may still fetch its routes"},
	NobodyFetches:     {text: "no Traefik fetches its routes, so they cannot be turned"},
	RoutesKept:        {text: "Traefik does not take its routes from Paastis"},
	NeverSleeps:       {text: "max_idle_time is never"},
	UsedRecently:      {text: "used {time} ago, sleeps after {limit}"},
	StopFailed:        {text: "the last stop failed, tried again soon"},
	StopRefused:       {text: "It could not be stopped: {refusal}."},
	CheckingUse:       {text: "looking whether it is in use"},
	Connections:       {text: "{n} open connections", one: "1 open connection", use: true},
	Traffic:           {text: "traffic {bytes}/s", use: true},
	CPU:               {text: "takes {percent}% of a core", use: true},
	OneOffs:           {text: "{n} one-off containers run in it", one: "1 one-off container runs in it", use: true},
	RoutedRequests:    {text: "its platform has passed it {n} requests lately", one: "its platform has passed it 1 request lately", use: true},
	SleepsByItself:    {text: "its platform puts it to sleep by itself", use: true, refusal: true},
	Busy:              {text: "it says that it is busy ({text})", use: true},
	BusyCheckFails:    {text: "its busy check does not work: {text}", use: true},
	NotSampled:        {text: "it could not be looked at: {text}", use: true},
	UseUnseen:         {text: "its use cannot be seen: {text}, or let it sleep by paastis.unseen=sleep", use: true},
	StreamUnseen:      {text: "a stream was let through to it, and nothing tells whether that is still open; let Traefik fetch its routes from Paastis, or let it sleep by paastis.unseen=sleep", use: true},
	MaybeOpen:         {text: "something silent may be open, by the packets it sends, and connections are not counted; give Paastis pid: host, or let it sleep by paastis.unseen=sleep", use: true},

	Unused:              {text: "unused for {time}"},
	PutToSleep:          {text: "put to sleep by hand"},
	KeepsCrashing:       {text: "it keeps crashing"},
	Overdue:             {text: "it did not end in time"},
	LenderRestarted:     {text: "it lives in namespaces of {app}, which was started again"},
	RestartedWith:       {text: "it is to be restarted with {app}"},
	StoppedAgain:        {text: "stopped again"},
	Completed:           {text: "ran its course"},
	EndedOutside:        {text: "stopped by someone else, or by itself (exit code {code})"},
	StoppedManually:     {text: "stopped by hand"},
	HeldDown:            {text: "stopped by hand, and stays so until it is started or woken by hand"},
	StoppedWithProvider: {text: "stopped with its provider"},

	Asked:              {text: "asked for"},
	AskedInTime:        {text: "asked for in time"},
	AskedWhileStopping: {text: "asked for while it stopped"},
	AskedNeedDown:      {text: "asked for, and an app that it needs is down"},
	NeedDown:           {text: "an app that it needs is down"},
	NeedsDown:          {text: "{apps} is down"},
	TriedAgain:         {text: "tried again"},
	WindowBegan:        {text: "keep_awake ({text}) has begun"},
	FoundRunning:       {text: "found running"},
	StartedOutside:     {text: "started by someone else"},
	Restarting:         {text: "it restarts"},
	PartStopped:        {text: "a part of it was stopped: {refusal}"},

	Unpinned:        {text: "unpinned"},
	ManagedNow:      {text: "managed from now on"},
	NoLongerManaged: {text: "Paastis does not manage it any more: {why}"},

	Enabled:         {text: "enabled by {text}"},
	RouterAsks:      {text: "Traefik asks Paastis about router {router}"},
	RouterUses:      {text: `router {router} uses the middleware "{text}"`},
	AskedByName:     {text: "Traefik asks Paastis about it by name"},
	RuleMatches:     {text: "matched by {text}"},
	LinkedFromStack: {text: "linked to by {named} in the same stack"},

	Disabled:          {text: "disabled by {text}"},
	Ephemeral:         {text: "its provider removes it once it stops (docker run --rm), so it could not wake"},
	Ignored:           {text: "{text}"},
	NotEnabled:        {text: "nothing enables it: add a rule that matches it, the middleware to its router, or the label paastis.enable=true"},
	MiddlewareUnknown: {text: "nothing enables it that labels tell: none defines {text} of router {router}; if Paastis is in there, the app is managed from Traefik's first question on; the label paastis.enable=true or traefik.api_url settles it"},
	IsPaastis:         {text: "is Paastis itself"},
	IsOtherPaastis:    {text: "is another Paastis"},
	RunsTraefik:       {text: "runs Traefik"},
	ServesProvider:    {text: "serves the API that Paastis uses"},
	SharesNetwork:     {text: "shares the network of Paastis"},
	PlatformJob:       {text: "is a job that its platform runs to its end"},

	Gone:       {text: "it was removed"},
	NotManaged: {text: "Paastis does not manage it: {why}"},
	ComingUp:   {text: "it is on its way up"},

	Queued:       {text: "It waits for its turn: number {place} in the queue, {n} other apps on the way up.", one: "It waits for its turn: number {place} in the queue, 1 other app on the way up."},
	StaysStopped: {text: "It was stopped by hand. It stays so until somebody starts it: paastis wake {app}"},
	NeedStopped:  {text: "It was stopped by hand."},
	Missing:      {text: "It does not exist."},
	Unmanaged:    {text: "Paastis does not manage it."},
	TooManyWakes: {text: "Too many apps were woken from your address. Please wait a moment."},

	Exited:        {text: "It ended with exit code {code}."},
	CrashLoop:     {text: "It kept crashing, {n} times within a minute (exit code {code})."},
	RestartLoop:   {text: "It kept restarting for {limit} (exit code {code})."},
	OutOfMemory:   {text: "It ran out of memory."},
	NoTurn:        {text: "It waited {limit} for its turn."},
	NeedsLate:     {text: "It waited {limit} for {apps}."},
	NotStarted:    {text: "It did not start within {limit}."},
	Unhealthy:     {text: "It was not healthy within {limit}."},
	ProbeAnswered: {text: "It answered its probe with {code} for {limit}."},
	NoAnswer:      {text: "It did not answer on port {code} within {limit}."},
	Untrusted:     {text: "The certificate of its URL is not trusted; the log says why."},
	NotListed:     {text: "It runs, but Traefik did not list its server within {limit}."},
	NotEnded:      {text: "It did not end within {limit}."},
	NeedFailed:    {text: "{app}, which it needs, failed: {why}"},
	NeedHeldDown:  {text: "{app}, which it needs, was stopped by hand."},
	Removed:       {text: "It was removed."},
	Earlier:       {text: "{text}"},

	ProviderRefused:     {text: "its provider refused; the log says why", refusal: true},
	EngineRefused:       {text: "the engine refused; the log says why", refusal: true},
	ProviderUnreachable: {text: "its provider cannot be reached", refusal: true},
	RateLimited:         {text: "its provider was asked too often", refusal: true},
	ImageMissing:        {text: "its image is missing", refusal: true},
	PortTaken:           {text: "a port that it needs is taken", refusal: true},
	NetworkOwnerDown:    {text: "the container whose network it uses does not run", refusal: true},
	ContainerGone:       {text: "a container that it needs is gone", refusal: true},
	DiskFull:            {text: "the disk is full", refusal: true},
	FolderMissing:       {text: "a folder that it needs is missing", refusal: true},
	BeingRemoved:        {text: "it is being removed", refusal: true},
	ProgramMissing:      {text: "its program is missing", refusal: true},
	ResourceGone:        {text: "a network or volume that it needs is gone", refusal: true},
	NotCaptured:         {text: "it is not known how it is to come back: {refusal}", refusal: true},
	NotKept:             {text: "how it is to come back could not be saved; the log says why", refusal: true},
	TokenRefused:        {text: "its provider does not accept the token of Paastis", refusal: true},
	TokenExpired:        {text: "the token of Paastis at its provider has expired", refusal: true},
	NotAllowed:          {text: "the token of Paastis may not scale it", refusal: true},
	PaymentRequired:     {text: "its platform wants to be paid first: a trial is over, or an invoice is open", refusal: true},
	Blocked:             {text: "its platform has blocked it", refusal: true},
	NotDeployed:         {text: "it was never deployed", refusal: true},
	InMaintenance:       {text: "it is in maintenance", refusal: true},
	OperationFailed:     {text: "its platform took the order and could not carry it out; the log says why", refusal: true},
	PlatformBusy:        {text: "its platform is at another operation of it", refusal: true},
	QuotaUsedUp:         {text: "its quota at its platform is used up", refusal: true},
	BreakerOpen:         {text: "its provider failed time after time, and is left in peace for a moment", refusal: true},
	UnknownState:        {text: "its platform says of it what Paastis does not know: {text}", refusal: true},
}
