-- Why an asset is certified, or no longer.
ALTER TABLE enrichment ADD COLUMN certificate_message TEXT;
