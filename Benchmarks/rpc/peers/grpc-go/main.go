// grpc-go's part in `make bench-rpc`: hands back the bytes of a request without reading them.
//
// Usage: grpc-go PORT      Listens on 127.0.0.1 until it is killed.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
)

const messagesPerStream = 1000

// bytesCodec takes the place of protobuf's, so that what is measured is the runtime alone.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(value interface{}) ([]byte, error) {
	bytes, ok := value.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("%T is not bytes", value)
	}
	return *bytes, nil
}

func (bytesCodec) Unmarshal(data []byte, value interface{}) error {
	bytes, ok := value.(*[]byte)
	if !ok {
		return fmt.Errorf("%T is not bytes", value)
	}
	*bytes = append((*bytes)[:0], data...)
	return nil
}

func unaryCall(
	_ interface{}, _ context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor,
) (interface{}, error) {
	request := new([]byte)
	if err := decode(request); err != nil {
		return nil, err
	}
	return request, nil
}

func streamingFromServer(_ interface{}, stream grpc.ServerStream) error {
	request := new([]byte)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	for i := 0; i < messagesPerStream; i++ {
		if err := stream.SendMsg(request); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: grpc-go PORT")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	encoding.RegisterCodec(bytesCodec{})
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "grpc.testing.BenchmarkService",
		HandlerType: (*interface{})(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "UnaryCall", Handler: unaryCall}},
		Streams: []grpc.StreamDesc{
			{StreamName: "StreamingFromServer", Handler: streamingFromServer, ServerStreams: true},
		},
	}, struct{}{})
	log.Fatal(server.Serve(listener))
}
