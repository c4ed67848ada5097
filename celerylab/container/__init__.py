"""What runs in the course's containers: settings, the program of each service, its health."""
