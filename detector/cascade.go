package detector

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
)

// checkCascade reports whether OpenCV can be given this file. OpenCV throws a C++
// exception, which ends the process, for a file that is not XML of its own
// kind; hence the file is read through here first.
func checkCascade(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	if err := scanCascade(f); err != nil {
		return fmt.Errorf("%s is not an OpenCV cascade: %w", path, err)
	}
	return nil
}

// scanCascade reads well-formed XML to its end and wants the elements
// opencv_storage/cascade/stages/_ of OpenCV's cascade format in it.
func scanCascade(r io.Reader) error {
	var path []string
	var stages int
	dec := xml.NewDecoder(r)
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			if len(path) == 1 && path[0] != "opencv_storage" {
				return fmt.Errorf("the root element is %s", path[0])
			}
			if len(path) == 4 && path[1] == "cascade" && path[2] == "stages" {
				stages++
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
	if stages == 0 {
		return errors.New("it has no stages")
	}
	return nil
}
