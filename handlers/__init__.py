"""What is decided: the domain, pure. One folder per context, the same anatomy in each."""
