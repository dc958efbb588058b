UPDATE enrichment SET certificate = 'verified', certificate_message = 'checked';
