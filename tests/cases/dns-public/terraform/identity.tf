# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_iam_instance_profile" "control-plane" {
  name = "dns-public-control-plane-aa6c20bd"
  path = "/clusterctl/00112233445566778899aabbccddeeff/control-plane/"
  role = aws_iam_role.control-plane.name
}

resource "aws_iam_instance_profile" "worker" {
  name = "dns-public-worker-01313e3e"
  path = "/clusterctl/00112233445566778899aabbccddeeff/worker/"
  role = aws_iam_role.worker.name
}

resource "aws_iam_role" "control-plane" {
  name = "dns-public-control-plane-58cd93e4"
  path = "/clusterctl/00112233445566778899aabbccddeeff/control-plane/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Principal = {
          Service = "ec2.amazonaws.com"
        }
        Action = "sts:AssumeRole"
      },
    ]
  })
}

resource "aws_iam_role" "worker" {
  name = "dns-public-worker-8c1345f3"
  path = "/clusterctl/00112233445566778899aabbccddeeff/worker/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Principal = {
          Service = "ec2.amazonaws.com"
        }
        Action = "sts:AssumeRole"
      },
    ]
  })
}

resource "aws_iam_role_policy" "control-plane" {
  name = "control-plane"
  role = aws_iam_role.control-plane.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "KeepSecrets"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"]
        Resource = "arn:aws:ssm:eu-central-1:*:parameter/clusterctl/00112233445566778899aabbccddeeff/*"
      },
    ]
  })
}

resource "aws_iam_role_policy" "worker" {
  name = "worker"
  role = aws_iam_role.worker.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadJoinMaterial"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = "arn:aws:ssm:eu-central-1:*:parameter/clusterctl/00112233445566778899aabbccddeeff/join/*"
      },
    ]
  })
}
