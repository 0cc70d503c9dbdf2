# Total entropy increase against the number of generation steps.
#
# token-entropy 0.1.0
# command: appendix-figures --tokens learned --output-dir Plots/learned --figure-format png
# input: learned-24x24.h5, hash xxh64:65c90d0c40dd5097
#
# Draw it in this folder:    gnuplot total-increase-against-steps.gp
# as png, svg or pdf:        gnuplot -e "format='pdf'" total-increase-against-steps.gp

if (!exists("format")) format = 'png'
if (!exists("output")) output = 'total-increase-against-steps.'.format
data = 'total-increase-against-steps.dat'
width = 566.; height = 368.  # of the page, in points
scale = 2  # pixels per point in png
has(terminal) = strstrt(' '.GPVAL_TERMINALS.' ', ' '.terminal.' ') > 0

if (format eq 'png' && has('pngcairo')) {
  set terminal pngcairo noenhanced size scale*width,scale*height font "sans-serif,11" \
    fontscale 0.75*scale linewidth scale pointscale 0.75*scale background '#ffffff'
} else { if (format eq 'png' && has('png')) {
  set terminal png noenhanced truecolor size scale*width,scale*height font "sans-serif,11" \
    fontscale 0.75*scale linewidth scale background '#ffffff'
} else { if (format eq 'svg' && has('svg')) {
  set terminal svg noenhanced size width,height fixed font "sans-serif,11" background '#ffffff'
} else { if (format eq 'pdf' && has('pdfcairo')) {
  set terminal pdfcairo noenhanced size width/72,height/72 font "sans-serif,11" \
    fontscale 0.75 linewidth 1.6 pointscale 0.85 dashlength 1.6 background '#ffffff'
} else {
  exit error 'this gnuplot cannot draw '.format.'; choose png, svg or pdf'
} } } }
set encoding utf8
set output output

X(points) = points / width  # from the left edge
Y(points) = 1 - points / height  # from the top edge

set lmargin at screen X(61.6); set rmargin at screen X(461.6)
set tmargin at screen Y(17.6); set bmargin at screen Y(287.6)
set label 1 'n: tokens per step; bars: standard error. Data: learned-24x24.h5; m = 10,000 images, d = 8' at screen X(61.6),screen Y(340.4) left font ",9.35" textcolor rgb '#404040'
set label 2 'feature dimensions; bound: debiased.' at screen X(61.6),screen Y(354.15) left font ",9.35" textcolor rgb '#404040'
set border 3 lc rgb '#404040'
set grid lc rgb '#e2e2e2' lt 1 lw 0.6
set xlabel 'generation steps'
set ylabel 'total entropy increase [nats]'
set xrange [46.4:318]
set xtics out nomirror scale 0.5 ('50' 50.0, '100' 100.0, '200' 200.0)
set logscale x
set yrange [0.0433:1067]
set ytics out nomirror scale 0.5 ('0.1' 0.1, '1' 1.0, '10' 10.0, '100' 100.0, '1000' 1000.0)
set logscale y
set label 3 'n = 16' at first 51.0, graph 1 center offset 0,0.6 font ",8.8"
set label 4 'n = 9' at first 72.0, graph 1 center offset 0,0.6 font ",8.8"
set label 5 'n = 4' at first 147.0, graph 1 center offset 0,0.6 font ",8.8"
set label 6 'n = 2' at first 289.0, graph 1 center offset 0,0.6 font ",8.8"
lowest = 0.0433  # values that are not above it are marked at the edge
set key at screen X(474.8),screen Y(17.6) left top Left reverse vertical maxrows 4 samplen 2 spacing 1.2 font ",9.9"

plot data index 0 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#0072b2' lw 0.8 notitle, \
  data index 0 using 1:($2>lowest?$2:NaN) with linespoints dashtype 1 lw 1.4 pointtype 7 pointsize 0.8 lc rgb '#0072b2' title 'blocks', \
  data index 1 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#d55e00' lw 0.8 notitle, \
  data index 1 using 1:($2>lowest?$2:NaN) with linespoints dashtype 2 lw 1.4 pointtype 5 pointsize 0.8 lc rgb '#d55e00' title 'raster', \
  data index 2 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#009e73' lw 0.8 notitle, \
  data index 2 using 1:($2>lowest?$2:NaN) with linespoints dashtype 3 lw 1.4 pointtype 9 pointsize 0.8 lc rgb '#009e73' title 'halton', \
  data index 3 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#cc79a7' lw 0.8 notitle, \
  data index 3 using 1:($2>lowest?$2:NaN) with linespoints dashtype 4 lw 1.4 pointtype 13 pointsize 0.8 lc rgb '#cc79a7' title 'distant'
unset output
