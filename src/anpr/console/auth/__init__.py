"""Who may sign in, who is signed in, what each role may do, and the audit log."""
