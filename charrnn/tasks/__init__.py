"""What is predicted from what, and how well."""
