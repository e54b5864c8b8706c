"""Camera messages in, reads on a site's topic, and a disk between them for when the broker is away."""
