-- Which active assets of SageMaker Unified Studio are made from the Glue table of an ARN (in its canonical spelling). The other
-- way the ARN is computed from where a table lies, so that tables have no rows here.
CREATE TABLE twin (
    source TEXT NOT NULL,
    asset INTEGER NOT NULL,
    PRIMARY KEY (source, asset)
) WITHOUT ROWID;
CREATE INDEX twin_by_asset ON twin (asset);
