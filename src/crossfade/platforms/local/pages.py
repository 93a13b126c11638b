"""Parts of pages: how a request for one is told from one for a page."""

# What a browser says that it is for, over HTTPS and to localhost alone; else how the path ends. As many endings as
# Envoy lets an expression say: it refuses one that compiles to more than 100 steps.
PARTS = "script|style|font|image|audio|video|track|manifest|worker|sharedworker|serviceworker|object|embed"
PART_ENDINGS = "m?js|css|map|wasm|json|woff2?|ttf|otf|png|jpe?g|gif|svg|webp|avif|ico|mp[34]|webm"
