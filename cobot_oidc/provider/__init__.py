"""One issuer over the network. Import its modules by name, as an app does not need most of them when it starts."""
