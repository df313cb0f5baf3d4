"""The parts of the worker; each knows those below it only. `credentials.worker` joins them."""
