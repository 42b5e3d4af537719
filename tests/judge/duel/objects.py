"""Objects under conditions: the store in S3."""


def play(duel):
    call = duel.call
    place = {"Bucket": "demo-state"}
    call("s3.create_bucket", "the user's",
         {**place, "CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}})
    one = {**place, "Key": "teams/ml/demo/state.json"}
    call("s3.get_object", "not there", one, refusal="NoSuchKey")
    call("s3.put_object", "new", {**one, "Body": b"1", "IfNoneMatch": "*"}, {"etag": "ETag"})
    call("s3.put_object", "that is there", {**one, "Body": b"2", "IfNoneMatch": "*"}, refusal="PreconditionFailed")
    call("s3.put_object", "that has not changed", {**one, "Body": b"3", "IfMatch": "$etag"}, {"etag_2": "ETag"})
    call("s3.put_object", "that has changed", {**one, "Body": b"4", "IfMatch": "$etag"}, refusal="PreconditionFailed")
    call("s3.put_object", "that is gone", {**one, "Key": "teams/ml/none", "Body": b"4", "IfMatch": "$etag"},
         refusal="NoSuchKey")
    call("s3.put_object", "whatever is there", {**one, "Body": b"5"})
    call("s3.put_object", "another", {**place, "Key": "teams/ml/demo/lease.json", "Body": b"6"})
    call("s3.get_object", "ours", one)
    call("s3.list_objects_v2", "ours", {**place, "Prefix": "teams/ml/demo/"})
    call("s3.list_objects_v2", "none", {**place, "Prefix": "teams/none/"})
    for key in ("teams/ml/demo/state.json", "teams/ml/demo/lease.json", "teams/ml/none"):
        call("s3.delete_object", key, {**place, "Key": key})
    call("s3.list_objects_v2", "after that", {**place, "Prefix": "teams/"})
