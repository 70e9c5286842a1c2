"""The command line, a module per topic. Each has ``add(sub)``, which adds its sub-parsers; what only a run needs is imported by the run."""

from . import adapt, checks, evaluate, export, page, protocol, simulate, steady, study, train

TOPICS = (train, simulate, evaluate, page, checks, export, protocol, study, adapt, steady)
