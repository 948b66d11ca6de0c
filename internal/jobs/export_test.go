package jobs

import "distributed.ai/datacoop/internal/coop"

// SetMachine replaces the machine's clock, so that tests need not wait.
func SetMachine(q *Queue, clock coop.Clock) { q.machine = clock }

// Pause is how long a job waits after its n-th failure.
var Pause = pause

// LeaseFor is how long a job of a dead process waits.
const LeaseFor = leaseFor
