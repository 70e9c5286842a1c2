"""The command line, a module per topic. Each has ``add(sub)``, which adds its sub-parsers; heavy imports wait for the run."""

from . import checks, evaluate, export, film, protocol, render, study, train

TOPICS = (render, film, train, evaluate, checks, export, protocol, study)
