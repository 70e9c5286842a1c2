package media

// containers are the FFmpeg demuxers that may open a file: those of video files
// that hold their data themselves. Playlists and manifests (hls, dash, concat,
// sdp, imf), image sequences and scripts are left out, because they make the
// reader open whatever they name. (png_pipe and webp_pipe read one picture out of the very file; JPEG is mjpeg.)
// (Audio containers are there so that a sound file is told apart from garbage.)
const containers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mjpeg,mjpeg_2000,mpjpeg,yuv4mpegpipe,ivf,obu," +
	"h264,hevc,m4v,h263,h261,mpegvideo,vc1,vc1test,mpeg,mpegts,flv,live_flv,asf,asf_o,ogg,nut,nsv," +
	"rm,ivr,dv,mxf,gxf,lxf,wtv,gif,apng,amv,dirac,avs,avs2,avs3,cavsvideo,dnxhd,dhav," +
	"film_cpk,flic,smk,bink,roq,vivo,pva,png_pipe,webp_pipe,mp3,wav,aac,flac"
