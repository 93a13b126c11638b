"""The controller looks after the services of one machine: takes orders, runs their loops, answers over HTTP."""
