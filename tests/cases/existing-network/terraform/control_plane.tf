# Written by `clusterctl export terraform`. The same cluster exports the same bytes.

resource "aws_ebs_volume" "control-plane-0" {
  availability_zone = "eu-central-1a"
  size              = 20
  type              = "gp3"
  encrypted         = true
  tags = {
    Name                     = "existing-control-plane-0"
    "clusterctl.dev/address" = "aws_ebs_volume.control-plane-0"
    "clusterctl.dev/cluster" = "existing"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_ebs_volume" "control-plane-1" {
  availability_zone = "eu-central-1b"
  size              = 20
  type              = "gp3"
  encrypted         = true
  tags = {
    Name                     = "existing-control-plane-1"
    "clusterctl.dev/address" = "aws_ebs_volume.control-plane-1"
    "clusterctl.dev/cluster" = "existing"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_ebs_volume" "control-plane-2" {
  availability_zone = "eu-central-1c"
  size              = 20
  type              = "gp3"
  encrypted         = true
  tags = {
    Name                     = "existing-control-plane-2"
    "clusterctl.dev/address" = "aws_ebs_volume.control-plane-2"
    "clusterctl.dev/cluster" = "existing"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_instance" "control-plane-0" {
  ami                         = data.aws_ami.ubuntu-amd64.id
  instance_type               = "m5a.xlarge"
  iam_instance_profile        = aws_iam_instance_profile.control-plane.name
  user_data_base64            = base64gzip(replace(replace(file("${path.module}/files/control-plane-0.sh"), "@{1}", aws_lb.api.dns_name), "@{2}", aws_ebs_volume.control-plane-0.id))
  user_data_replace_on_change = true
  tags = {
    Name                       = "existing-control-plane-0"
    "clusterctl.dev/address"   = "aws_instance.control-plane-0"
    "clusterctl.dev/cluster"   = "existing"
    "clusterctl.dev/uid"       = "00112233445566778899aabbccddeeff"
    "clusterctl.dev/user-data" = sha256(replace(replace(file("${path.module}/files/control-plane-0.sh"), "@{1}", aws_lb.api.dns_name), "@{2}", aws_ebs_volume.control-plane-0.id))
  }

  primary_network_interface {
    network_interface_id = aws_network_interface.control-plane-0.id
  }

  root_block_device {
    volume_size = 50
    volume_type = "gp3"
    encrypted   = true
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

resource "aws_instance" "control-plane-1" {
  ami                         = data.aws_ami.ubuntu-amd64.id
  instance_type               = "m5a.xlarge"
  iam_instance_profile        = aws_iam_instance_profile.control-plane.name
  user_data_base64            = base64gzip(replace(replace(file("${path.module}/files/control-plane-0.sh"), "@{1}", aws_lb.api.dns_name), "@{2}", aws_ebs_volume.control-plane-1.id))
  user_data_replace_on_change = true
  tags = {
    Name                       = "existing-control-plane-1"
    "clusterctl.dev/address"   = "aws_instance.control-plane-1"
    "clusterctl.dev/cluster"   = "existing"
    "clusterctl.dev/uid"       = "00112233445566778899aabbccddeeff"
    "clusterctl.dev/user-data" = sha256(replace(replace(file("${path.module}/files/control-plane-0.sh"), "@{1}", aws_lb.api.dns_name), "@{2}", aws_ebs_volume.control-plane-1.id))
  }

  primary_network_interface {
    network_interface_id = aws_network_interface.control-plane-1.id
  }

  root_block_device {
    volume_size = 50
    volume_type = "gp3"
    encrypted   = true
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

resource "aws_instance" "control-plane-2" {
  ami                         = data.aws_ami.ubuntu-amd64.id
  instance_type               = "m5a.xlarge"
  iam_instance_profile        = aws_iam_instance_profile.control-plane.name
  user_data_base64            = base64gzip(replace(replace(file("${path.module}/files/control-plane-0.sh"), "@{1}", aws_lb.api.dns_name), "@{2}", aws_ebs_volume.control-plane-2.id))
  user_data_replace_on_change = true
  tags = {
    Name                       = "existing-control-plane-2"
    "clusterctl.dev/address"   = "aws_instance.control-plane-2"
    "clusterctl.dev/cluster"   = "existing"
    "clusterctl.dev/uid"       = "00112233445566778899aabbccddeeff"
    "clusterctl.dev/user-data" = sha256(replace(replace(file("${path.module}/files/control-plane-0.sh"), "@{1}", aws_lb.api.dns_name), "@{2}", aws_ebs_volume.control-plane-2.id))
  }

  primary_network_interface {
    network_interface_id = aws_network_interface.control-plane-2.id
  }

  root_block_device {
    volume_size = 50
    volume_type = "gp3"
    encrypted   = true
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

resource "aws_lb_target_group_attachment" "control-plane-0" {
  target_group_arn = aws_lb_target_group.api.arn
  target_id        = aws_network_interface.control-plane-0.private_ip
  port             = 6443
}

resource "aws_lb_target_group_attachment" "control-plane-1" {
  target_group_arn = aws_lb_target_group.api.arn
  target_id        = aws_network_interface.control-plane-1.private_ip
  port             = 6443
}

resource "aws_lb_target_group_attachment" "control-plane-2" {
  target_group_arn = aws_lb_target_group.api.arn
  target_id        = aws_network_interface.control-plane-2.private_ip
  port             = 6443
}

resource "aws_network_interface" "control-plane-0" {
  subnet_id         = "subnet-0aaaaaaaaaaaaaaa1"
  description       = "control-plane-0 of cluster existing"
  security_groups   = [aws_security_group.control-plane.id, aws_security_group.node.id]
  source_dest_check = true
  tags = {
    Name                     = "existing-control-plane-0"
    "clusterctl.dev/address" = "aws_network_interface.control-plane-0"
    "clusterctl.dev/cluster" = "existing"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_network_interface" "control-plane-1" {
  subnet_id         = "subnet-0aaaaaaaaaaaaaaa2"
  description       = "control-plane-1 of cluster existing"
  security_groups   = [aws_security_group.control-plane.id, aws_security_group.node.id]
  source_dest_check = true
  tags = {
    Name                     = "existing-control-plane-1"
    "clusterctl.dev/address" = "aws_network_interface.control-plane-1"
    "clusterctl.dev/cluster" = "existing"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_network_interface" "control-plane-2" {
  subnet_id         = "subnet-0aaaaaaaaaaaaaaa3"
  description       = "control-plane-2 of cluster existing"
  security_groups   = [aws_security_group.control-plane.id, aws_security_group.node.id]
  source_dest_check = true
  tags = {
    Name                     = "existing-control-plane-2"
    "clusterctl.dev/address" = "aws_network_interface.control-plane-2"
    "clusterctl.dev/cluster" = "existing"
    "clusterctl.dev/uid"     = "00112233445566778899aabbccddeeff"
  }
}

resource "aws_volume_attachment" "control-plane-0" {
  stop_instance_before_detaching = true
  device_name                    = "/dev/sdf"
  instance_id                    = aws_instance.control-plane-0.id
  volume_id                      = aws_ebs_volume.control-plane-0.id
}

resource "aws_volume_attachment" "control-plane-1" {
  stop_instance_before_detaching = true
  device_name                    = "/dev/sdf"
  instance_id                    = aws_instance.control-plane-1.id
  volume_id                      = aws_ebs_volume.control-plane-1.id
}

resource "aws_volume_attachment" "control-plane-2" {
  stop_instance_before_detaching = true
  device_name                    = "/dev/sdf"
  instance_id                    = aws_instance.control-plane-2.id
  volume_id                      = aws_ebs_volume.control-plane-2.id
}
