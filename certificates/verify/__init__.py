"""The page that anybody can check a certificate on."""
