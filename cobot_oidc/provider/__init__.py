"""One issuer over the network. Import its modules by name: the app's start needs ``settings`` alone."""
