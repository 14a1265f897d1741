"""The tooling behind ./dev: private servers, build, services and test suites of this checkout."""
