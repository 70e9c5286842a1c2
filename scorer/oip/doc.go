// Package oip is the part of the Open Inference Protocol that the scorer speaks, generated from oip.proto: messages and a gRPC client.
package oip

//go:generate protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative oip.proto
